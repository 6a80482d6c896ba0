"""Sources of rules that are followed: what changed in them is taken, and nothing is read twice.

A changed file is read whole, for it has no other way; of a table in a database only the rows that
changed are read, so that one row among a million is in force at once. A database that does not
answer changes nothing: what was read of it last stays in force.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy import source, tables
from kumo_handlers.policy.database.engine import is_url, open_engine
from kumo_handlers.policy.database.replica import Replica
from kumo_handlers.service import ServiceURL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kumo_handlers.policy.database.engine import Version
    from kumo_handlers.policy.origins import Entry
    from kumo_handlers.policy.tables import Given, Tables, Written

_log = logging.getLogger(__name__)


class Following:
    """Sources, and the policy that they made last. For one thread at a time."""

    def __init__(self, sources: Iterable[Given]) -> None:
        self._sources = tuple(map(_followed, sources))
        self._replicas = tuple(each for each in self._sources if isinstance(each, Replica))
        self._silent: set[str] = set()
        self._written: Written | None = None
        self._tables: Tables | None = None
        # Whether replicas may know more than the policy that was made last.
        self._is_torn = False

    @property
    def silent(self) -> int:
        """How many databases did not answer when they were last asked."""
        return len(self._silent)

    def load(self) -> Tables:
        """All of it, read anew. Raises `ConfigurationError`; then the policy is what it was.

        A database that was read before, and does not answer now, is as it was.
        """
        self._is_torn = True
        with tables.collector_paused():
            for replica in self._replicas:
                if replica.version is None:
                    replica.read_now()
                else:
                    self._renewed(replica, replica.read)
            return self._made()

    def renew(self) -> Tables:
        """What changed, taken. Raises as `load` does.

        Where nothing changed, somebody asked for it all the same: everything is read anew.
        """
        if self._tables is None or self._written is None or not self._has_news(self._written):
            return self.load()
        whole = self._is_torn or not self._written.origins.are_current()
        self._is_torn = True
        with tables.collector_paused():
            changed = [self._renewed(each, each.renew) for each in self._replicas]
            keys = {key for each in changed if each is not None for key in each}
            whole = whole or None in changed
            return self._made() if whole else self._changed(self._tables, self._written, keys)

    def signature(self) -> tuple[object, ...]:
        """What differs when a source changed: cheap enough to be asked twice a second."""
        files = self._tables.files if self._tables else ()
        return (source.signature(files), *(self._version(each) for each in self._replicas))

    def close(self) -> None:
        """Let go of what is connected; whoever asks again connects again."""
        for replica in self._replicas:
            replica.engine.close()

    def _has_news(self, written: Written) -> bool:
        return not written.origins.are_current() or any(
            self._version(each) != each.version for each in self._replicas
        )

    def _version(self, replica: Replica) -> Version | None:
        """The version of a table; of one that does not answer, the one that is in force."""
        try:
            version = replica.engine.version()
        except (ConnectionError, ConfigurationError) as error:
            self._lost(replica, error)
            return replica.version
        self._found(replica)
        return version

    def _renewed(
        self, replica: Replica, renew: Callable[[], set[Entry] | None]
    ) -> set[Entry] | None:
        try:
            changed = renew()
        except ConnectionError as error:
            self._lost(replica, error)
            return set()
        self._found(replica)
        return changed

    def _made(self) -> Tables:
        """The policy of the sources as they are, files read anew."""
        self._written = tables.read(self._sources)
        self._tables = tables.make(self._written)
        for warning in self._written.warnings:
            _log.warning("%s", warning)
        self._is_torn = False
        return self._tables

    def _changed(self, before: Tables, written: Written, keys: set[Entry]) -> Tables:
        """The policy with other entries for ``keys``, all else as it was."""
        digests = (
            each.source.digest if isinstance(each, Replica) else None for each in self._sources
        )
        origins = written.origins.change(digests)
        self._written = msgspec.structs.replace(written, origins=origins)
        self._tables = before.changed(self._written, keys)
        self._is_torn = False
        return self._tables

    def _lost(self, replica: Replica, error: Exception) -> None:
        if replica.name not in self._silent:
            self._silent.add(replica.name)
            _log.error("the rules stay as they were: %s", error)

    def _found(self, replica: Replica) -> None:
        if replica.name in self._silent:
            self._silent.discard(replica.name)
            _log.info("%s answers again", replica.name)


def _followed(given: Given) -> Given:
    """A replica in the place of the URL of a database."""
    if isinstance(given, ServiceURL) or (isinstance(given, str) and is_url(given)):
        return Replica(open_engine(given))
    return given

"""Listener domains from tables: TOML and JSON files, tables given in place, or in a database.

Sources are merged option by option, later ones winning. An entry of a listener's section is the
whole answer there, unless it inherits the domain's general options. Nothing is taken of sources
that have anything wrong with them.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import source
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.database.engine import is_url, open_engine
from kumo_handlers.policy.database.replica import Replica
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import Checker, Entries
from kumo_handlers.policy.merging import Domains, merge, resolve, resolve_changed
from kumo_handlers.policy.origins import Origins
from kumo_handlers.policy.step import Step
from kumo_handlers.service import ServiceURL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.origins import Entry
    from kumo_handlers.policy.source import Source

_log = logging.getLogger(__name__)


class Tables:
    """A policy read from tables. Immutable; made by `load`."""

    listeners: tuple[Listener, ...] = ()
    events: None = None

    def __init__(
        self,
        general: Domains,
        sections: Mapping[str, Domains],
        origins: Origins,
        warnings: tuple[Problem, ...],
    ) -> None:
        self.version = origins.version
        self.files = origins.files
        self.warnings = warnings
        self._general = general
        self._sections = sections
        self._origins = origins
        # A server has few addresses, and each is asked for with every recipient.
        self._sections_for = lru_cache(maxsize=1024)(self._find_sections)

    def find(self, domain: str, session: Session) -> Found | None:
        """The first entry found: local address, listener as written, general part."""
        if self._sections:
            for section, domains in self._sections_for(session.local, session.listener):
                if hit := domains.find(domain):
                    return Found(hit[1], hit[0], section)
        hit = self._general.find(domain)
        return Found(hit[1], hit[0]) if hit else None

    def walk(self, domain: str, session: Session) -> Iterator[Step]:
        """Every key that `find` could ask for, in its order, and what stands there."""
        places = self._sections_for(session.local, session.listener)
        for section, domains in (*places, ("", self._general)):
            for key, options in domains.walk(domain):
                yield Step(section, key, Found(options, key, section) if options else None)

    def find_anywhere(self, domain: str) -> Sequence[Found]:
        """The entry for ``domain`` in each section that has one, the general part last."""
        hit = self._general.find(domain)
        general = (Found(hit[1], hit[0]),) if hit else ()
        if not self._sections:
            return general
        hits = ((section, part.find(domain)) for section, part in self._sections.items())
        return (*(Found(hit[1], hit[0], section) for section, hit in hits if hit), *general)

    def _find_sections(self, *places: str) -> tuple[tuple[str, Domains], ...]:
        """The sections of these endpoints, each once, those that there are."""
        names = dict.fromkeys(map(canonical, places))
        return tuple((name, self._sections[name]) for name in names if name in self._sections)

    def entries(self) -> Iterator[Found]:
        """Every entry there is, the general part last."""
        for section, domains in (*self._sections.items(), ("", self._general)):
            for key, options in domains.items():
                yield Found(options, key, section)

    def changed(self, written: Written, keys: Iterable[Entry]) -> Tables:
        """The policy, once the entries of ``keys`` changed in the sources."""
        domains = resolve_changed(self._general, self._sections, written.parts, keys)
        return Tables(*domains, written.origins, written.warnings)

    def origin(self, found: Found) -> str:
        """``FILE:LINE`` of an entry, of each file that speaks of it.

        The first question reads the files again, line by line: a second a million lines.
        """
        return self._origins.find(found.section, found.key)


# The path of a file, a table given in place, the URL of a database, or what was read of one.
Given = str | Path | Mapping[str, Any] | ServiceURL | Replica


class Written(msgspec.Struct, frozen=True):
    """What the sources say, read and checked.

    ``parts`` are the sources' own entries, in their order; where they stand is for ``origins``.
    """

    parts: tuple[Entries, ...]
    origins: Origins
    warnings: tuple[Problem, ...] = ()


def load(sources: Iterable[Given]) -> Tables:
    """Read, check and merge ``sources``.

    Raises `ConfigurationError` with every problem in any of them. Warnings are logged.
    """
    with collector_paused():
        tables = make(read(sources))
    for warning in tables.warnings:
        _log.warning("%s", warning)
    return tables


def read(sources: Iterable[Given]) -> Written:
    """Read and check ``sources``. Raises `ConfigurationError` with every problem there is."""
    checker = Checker()
    problems: list[Problem] = []
    found: list[Source] = []
    parts: list[Entries] = []
    for number, given in enumerate(sources, 1):
        try:
            one, entries = _read(given, number, checker)
        except ConfigurationError as error:
            problems += error.problems
        else:
            found.append(one)
            parts.append(entries)
    problems += checker.problems
    if problems:
        raise ConfigurationError(problems)
    warnings = tuple(warning for each in found for warning in each.warnings)
    return Written(tuple(parts), Origins(found, parts), warnings)


def make(written: Written) -> Tables:
    """The policy that the sources make together. The entries of each source stay as they are."""
    return Tables(*resolve(merge(written.parts)), written.origins, written.warnings)


def _read(given: Given, number: int, checker: Checker) -> tuple[Source, Entries]:
    """One source and its entries. Problems with entries are left with ``checker``."""
    if isinstance(given, Replica):
        return given.source, given.entries
    if isinstance(given, Mapping):
        one = source.from_mapping(f"table {number}", given)
    elif isinstance(given, ServiceURL) or is_url(str(given)):
        with closing(open_engine(given if isinstance(given, ServiceURL) else str(given))) as engine:
            replica = Replica(engine)
            replica.read_now()
            return replica.source, replica.entries
    else:
        one = source.from_file(str(given))
    return one, checker.check(one)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Nothing made while loading is garbage, and looking for it doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

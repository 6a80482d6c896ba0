"""What a script declares while it loads, and the domains that it makes at any time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.mail.address import fold_domain
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy import listener_domain, options, tables
from kumo_handlers.policy.database import engine
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.listener_domain import ListenerDomain
from kumo_handlers.policy.lua import local_logs
from kumo_handlers.policy.lua.crossing import from_lua
from kumo_handlers.policy.lua.local_logs import LocalLogs
from kumo_handlers.policy.lua.raw_options import settle
from kumo_handlers.policy.options import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kumo_handlers.policy.lua.scripts import Scripts
    from kumo_handlers.policy.tables import Tables

# Domains that are remembered by the text of their options.
_MOST_DOMAINS: Final = 8192
# There is nothing to inherit from: a script says what it means.
_OPTIONS: Final = {
    name: option for name, option in listener_domain.OPTIONS.items() if name != "inherit"
}


class Declarations:
    """Listeners, tables and the rest, as a script declares them."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self.listeners: list[Listener] = []
        self.tables: list[Tables] = []
        self.domains: OrderedDict[bytes, ListenerDomain] = OrderedDict()
        self.logs = LocalLogs()
        self.classifier_files: tuple[str, ...] = ()
        self.failed: list[Problem] = []

    def start_listener(self, params: object, file: str | None, line: int | None) -> None:
        """``kumo.start_esmtp_listener``. Raises `ConfigurationError`, all at once."""
        place = self._place(file, line)
        listener = Listener.read(self._mapped_paths(_table(params, place)), place)
        if any(each.listen == listener.listen and listener.port for each in self.listeners):
            raise ConfigurationError(
                place.problem(
                    "there is a listener at this address", option="listen", value=listener.listen
                )
            )
        self.listeners.append(listener)

    def override(self, listener: Listener, params: Mapping[str, Any], place: Place) -> Listener:
        """``listener`` with what ``smtp_server_get_dynamic_parameters`` returned."""
        return listener.overridden(self._mapped_paths(settle(dict(params))), place)

    def make_domain(self, key: bytes, params: object, file: bytes | None, line: int | None) -> None:
        """``kumo.make_listener_domain``, for options that have the text ``key``."""
        place = self._place(file.decode(errors="replace") if file else None, line)
        table = _table(from_lua(params), place)
        made = ListenerDomain(**options.read_strictly(table, _OPTIONS, place))
        self._remember(key, made)

    def setup(self, sources: object) -> int:
        """``listener_domains:setup``: the number of the tables."""
        if isinstance(sources, str):
            sources = [sources]
        if not isinstance(sources, list) or not sources:
            raise ValueError("setup takes a list of files, such as { '/path/of/domains.toml' }")
        if not all(isinstance(each, str | dict) for each in sources):
            raise ValueError("what setup takes is a path, or a table of domains")
        if any(isinstance(each, str) and engine.is_url(each) for each in sources):
            raise ValueError("a database of rules is for the setting listener_domains alone")
        given = [
            self._scripts.mapped(each) if isinstance(each, str) else settle(each)
            for each in sources
        ]
        self.tables.append(tables.load(given))
        return len(self.tables) - 1

    def ask_tables(
        self, number: int, domain: str, listener: str | None = None, local: str | None = None
    ) -> bytes | None:
        """What the tables say, for a script that asks them itself: the text of the answer."""
        place = local or listener or ""
        session = Session("", Peer(""), listener or place, place)
        found = self.tables[number].find(fold_domain(domain), session)
        if found is None:
            return None
        key = repr(found.options).encode()
        self._remember(key, found.options)
        return key

    def _remember(self, key: bytes, made: ListenerDomain) -> None:
        while len(self.domains) >= _MOST_DOMAINS:
            self.domains.popitem(last=False)
        self.domains[key] = made

    def local_logs(self, params: object, file: str | None, line: int | None) -> None:
        """``kumo.configure_local_logs``."""
        place = self._place(file, line)
        table = _table(params, place)
        table["headers"] = table.get("headers") or []
        self.logs = LocalLogs(**options.read_strictly(table, local_logs.OPTIONS, place))

    def bounce_classifier(self, params: object, file: str | None, line: int | None) -> None:
        """``kumo.configure_bounce_classifier``."""
        place = self._place(file, line)
        files = _table(params, place).get("files")
        if files == {}:  # an empty list, in Lua
            files = []
        if not isinstance(files, list) or not all(isinstance(each, str) for each in files):
            raise ConfigurationError(
                place.problem(
                    "wrong value",
                    option="files",
                    value=options.shown(files),
                    expected="a list of paths",
                )
            )
        self.classifier_files = tuple(map(self._scripts.mapped, files))

    def validation_failed(self, file: str | None = None, line: int | None = None) -> None:
        """``kumo.validation_failed``: remember it, go on looking."""
        problem = Problem(message="validate_config says that the policy is not valid")
        self.failed.append(replace(problem, file=self._scripts.path(file), line=line))

    def _place(self, file: str | None, line: int | None) -> Place:
        return Place(self._scripts.path(file), line)

    def _mapped_paths(self, table: dict[str, Any]) -> dict[str, Any]:
        """Paths of files as they are on this machine."""
        return {
            name: self._scripts.mapped(value)
            if name.startswith("tls_") and isinstance(value, str)
            else value
            for name, value in table.items()
        }


def _table(params: object, place: Place) -> dict[str, Any]:
    if not isinstance(params, dict):
        shown = options.shown(params)
        raise ConfigurationError(place.problem("no options", value=shown, expected="a table"))
    return settle(params)

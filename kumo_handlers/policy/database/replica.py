"""The table of rules as this process knows it: read whole once, then only what changed.

Rows are checked as the entries of a file are. With anything wrong in what is read, nothing of it
is taken, and the next time it is read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import AddressError, ConfigurationError, Problem
from kumo_handlers.policy.database.checksum import Checksum
from kumo_handlers.policy.database.columns import options
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import Checker, Entries, Given, entries_of, fold_key
from kumo_handlers.policy.listener_domain import SECTIONS
from kumo_handlers.policy.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kumo_handlers.policy.database.columns import Key, Row
    from kumo_handlers.policy.database.engine import Engine, Snapshot, Version

# The options of the rows, as they are written, by section and domain.
Raw = dict[str, dict[str, dict[str, Any]]]


class Replica:
    """A copy of the table that is brought up to date when asked.

    ``entries`` are changed in place; they are for whoever brings the replica up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = engine.name
        self.entries = Entries({}, {})
        self.version: Version | None = None
        self._checksum = Checksum()
        # Whether every row has its key for a name, so that a name says which entry it is of.
        self._is_plain = True

    @property
    def source(self) -> Source:
        """The table among the other sources: its name, and a hash of what is in it now."""
        return Source(self.name, str(self._checksum), {}, is_table=True)

    def read(self) -> None:
        """Read all of it. Raises `ConfigurationError` and `ConnectionError`, nothing changed."""
        with self.engine.snapshot() as now:
            self._take(now)

    def read_now(self) -> None:
        """As `read`, for whoever can do nothing without: raises `ConfigurationError` alone."""
        try:
            self.read()
        except ConnectionError as error:
            raise ConfigurationError(str(error)) from error

    def renew(self) -> set[Key] | None:
        """Read what changed: the keys of the entries, or None where all of it was read.

        Raises as `read` does.
        """
        with self.engine.snapshot() as now:
            version = now.version()
            if not self._can_follow(version):
                self._take(now)
                return None
            rows = list(now.changes(self.version.number if self.version else 0))
            entries = _checked(self.name, self._raw(row for is_there, row in rows if is_there))
            if not all(_is_key(*row[:2]) for _, row in rows):
                self._take(now)
                return None
        keys: set[Key] = {row[:2] for _, row in rows}
        for section, key in keys:
            self._put(section, key, entries_of(entries, section).get(key))
        self.version = version
        return keys

    def _can_follow(self, version: Version) -> bool:
        """Whether the changes since the version that is known are listed one by one."""
        known = self.version
        return (
            known is not None
            and self._is_plain
            and version.whole_since <= known.number <= version.number
        )

    def _take(self, now: Snapshot) -> None:
        version = now.version()
        raw = self._raw(now.rows())
        entries = _checked(self.name, raw)
        checksum = Checksum()
        for section, given in _parts(entries):
            for key in given:
                checksum.add(section, key, given[key])
        self._is_plain = all(
            section in raw and key in raw[section]
            for section, given in _parts(entries)
            for key in given
        )
        self.entries, self.version, self._checksum = entries, version, checksum

    def _raw(self, rows: Iterable[Row]) -> Raw:
        """The rows as tables by section and domain. Raises `ConfigurationError`."""
        raw = _by_section(rows)
        problems = [
            Problem(
                message=f"{column} is no text",
                file=self.name,
                value=repr(value),
                hint="DELETE FROM listener_domains WHERE typeof(domain) <> 'text'"
                " OR typeof(section) <> 'text'",
            )
            for column, values in (
                ("section", raw),
                ("domain", (name for part in raw.values() for name in part)),
            )
            for value in values
            if not isinstance(value, str)
        ]
        if problems:
            raise ConfigurationError(problems)
        return raw

    def _put(self, section: str, key: str, given: Given | None) -> None:
        """An entry in the place of what was there; None for one that is gone."""
        mine = entries_of(self.entries, section)
        if section and not mine:
            self.entries.sections[section] = mine
        if key in mine:
            self._checksum.remove(section, key, mine.pop(key))
        if given is not None:
            self._checksum.add(section, key, given)
            mine[key] = given
        if section and not mine:
            del self.entries.sections[section]


def _parts(entries: Entries) -> Iterable[tuple[str, dict[str, Given]]]:
    return (("", entries.general), *entries.sections.items())


def _by_section(rows: Iterable[Row]) -> Raw:
    """Spelt as they are; equal tables are one object."""
    sections: dict[str, dict[str, dict[str, Any]]] = {"": {}}
    made: dict[Row, dict[str, Any]] = {}
    for row in rows:
        values = row[2:]
        table = made.get(values)
        if table is None:
            table = made[values] = options(values)
        section = sections.get(row[0])
        if section is None:
            section = sections[row[0]] = {}
        section[row[1]] = table
    return sections


def _checked(name: str, raw: Raw) -> Entries:
    """The entries of tables. Raises `ConfigurationError` with all that is wrong with them."""
    if SECTIONS in raw[""]:
        message = "is no domain here, as it is none in a file"
        raise ConfigurationError(Problem(message=message, file=name, domain=SECTIONS))
    sections = {section: tables for section, tables in raw.items() if section}
    checker = Checker()
    entries = checker.check(Source(name, "", {**raw[""], SECTIONS: sections}))
    if checker.problems:
        raise ConfigurationError(checker.problems)
    return entries


def _is_key(section: object, name: object) -> bool:
    """Whether a row is spelt as its entry is known: then no other row can be of that entry.

    QUIRK: SQLite keeps a BLOB in a column of text where no CHECK forbids it.
    """
    if not isinstance(section, str) or not isinstance(name, str):
        return False
    try:
        return canonical(section) == section and fold_key(name) == name
    except AddressError:
        return False

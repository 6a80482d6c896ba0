"""Raw tables, checked: which options each entry gives, and everything that is wrong with them.

Equal tables are read once: a file of a million domains has a handful of different ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.errors import AddressError, Problem
from kumo_handlers.mail.address import fold_domain
from kumo_handlers.policy import endpoint
from kumo_handlers.policy.domain_map import CATCH_ALL
from kumo_handlers.policy.listener_domain import OPTIONS, SECTIONS
from kumo_handlers.policy.options import Place, read, shown
from kumo_handlers.policy.source_lines import find_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kumo_handlers.policy.source import Source
    from kumo_handlers.policy.source_lines import Path

# The options an entry gives, by name. One object for all equal tables, so never to be changed.
Given = dict[str, Any]


class Entries(msgspec.Struct, frozen=True):
    """The entries of one source, by key: the general ones, and those of each section."""

    general: dict[str, Given]
    sections: dict[str, dict[str, Given]]


def entries_of(entries: Entries, section: str) -> dict[str, Given]:
    """The entries of one section, ``""`` the general part."""
    return entries.sections.get(section, {}) if section else entries.general


class Checker:
    """Reads the tables of sources, one after the other, and keeps what was wrong."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._known: dict[str, Given] = {}
        self._found: list[tuple[Path, Problem]] = []

    def check(self, source: Source) -> Entries:
        """The entries of ``source``; its problems, with their lines, go to ``problems``."""
        self._found = []
        sections = source.tables.get(SECTIONS, {})
        entries = Entries(self._part(source.tables, ()), self._sections(sections))
        if self._found:
            lines = find_lines(source.text)
            self.problems += (
                replace(problem, file=source.name, line=_line(path, lines))
                for path, problem in self._found
            )
        return entries

    def _sections(self, raw: object) -> dict[str, dict[str, Given]]:
        sections: dict[str, dict[str, Given]] = {}
        written: dict[str, str] = {}
        for name, part in _items(raw):
            path = (SECTIONS, name)
            try:
                key = str(endpoint.parse(name))
            except ValueError:
                self._wrong(path, "no listener", value=repr(name), expected=endpoint.EXPECTED)
                continue
            if key in sections:
                self._wrong(path, f"{written[key]!r} and {name!r} are the same listener")
            elif not isinstance(part, dict):
                self._wrong(path, f"no domains of {name}", value=shown(part), hint=_SECTION_HINT)
            else:
                sections[key], written[key] = self._part(part, path), name
        if not isinstance(raw, dict):
            self._wrong((SECTIONS,), "no listeners", value=shown(raw), hint=_SECTION_HINT)
        return sections

    def _part(self, part: Mapping[str, Any], path: Path) -> dict[str, Given]:
        """The entries of the general part, or of one section, by key."""
        entries: dict[str, Given] = {}
        for name, table in part.items():
            if name == SECTIONS and not path:
                continue
            given = self._known.get(repr(table))
            if given is None:
                given = self._table(name, table, path)
            key = self._key(name, path)
            if key in entries:
                self._twice(key, name, part, path)
            entries[key] = given
        return entries

    def _key(self, name: str, path: Path) -> str:
        try:
            return fold_key(name)
        except AddressError as error:
            self._wrong((*path, name), str(error), expected=_NAME_EXPECTED)
            return name

    def _twice(self, key: str, name: str, part: Mapping[str, Any], path: Path) -> None:
        for other in part:
            try:
                same = other != name and fold_key(other) == key
            except AddressError:
                continue
            if same:
                self._wrong((*path, name), f"{other!r} and {name!r} are the same domain")
                return

    def _table(self, name: str, table: object, path: Path) -> Given:
        """Read a table that was not met before."""
        here = (*path, name)
        if not isinstance(table, dict):
            hint = f"{name} belongs below a domain" if name in OPTIONS else None
            self._wrong(here, "is no table of options", value=shown(table), hint=hint)
            return {}
        if unquoted := list(_unquoted(table)):
            for parts in unquoted:
                hint = f"Did you mean [{_header(path, '.'.join((name, *parts)))}]?"
                self._wrong((*here, *parts), "a domain is one name, in quotes", hint=hint)
            return {}
        given, problems = read(table, OPTIONS, Place(domain=_domain(here)))
        if "inherit" in given and not path:
            problems.append(
                Problem(
                    message="is for the section of a listener",
                    domain=name,
                    option="inherit",
                    hint="the general part has nothing to inherit from",
                )
            )
        self._found += (((*here, str(problem.option)), problem) for problem in problems)
        if not problems:
            self._known[repr(table)] = given
        return given

    def _wrong(self, path: Path, message: str, **more: str | None) -> None:
        self._found.append((path, Place(domain=_domain(path)).problem(message, **more)))


_SECTION_HINT = 'a section is [listener."IP:PORT"."DOMAIN"]'
_NAME_EXPECTED = "a domain, *.DOMAIN or *"


def fold_key(name: str) -> str:
    """The key of an entry: a folded domain, a wildcard above one, or the catch-all.

    Raises `AddressError` for what is none of these.
    """
    if name == CATCH_ALL:
        return name
    wildcard, domain = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    folded = fold_domain(domain)
    if not folded:
        raise AddressError(f"{name!r} is not a domain")
    if wildcard and folded.startswith("["):
        raise AddressError(f"{name!r}: nothing is below an address literal")
    return wildcard + folded


def _items(raw: object) -> Iterator[tuple[str, Any]]:
    if isinstance(raw, dict):
        yield from raw.items()


def _unquoted(table: dict[str, Any]) -> Iterator[Path]:
    """The rest of the domains in ``[example.com]``, which TOML reads as ``com`` in ``example``."""
    for part, inner in table.items():
        if part not in OPTIONS and isinstance(inner, dict):
            deeper = list(_unquoted(inner))
            yield from ((part, *parts) for parts in deeper or [()])


def _header(path: Path, name: str) -> str:
    """The header of an entry, below ``path``, as it should have been written."""
    return ".".join([*path[:1], *(f'"{part}"' for part in (*path[1:], name))])


def _domain(path: Path) -> str | None:
    """The entry of a path, for people; None above the entries."""
    match path:
        case [first, section, name, *_] if first == SECTIONS:
            return f"{name} of listener {section}"
        case [first, *_] if first != SECTIONS:
            return first or '""'
    return None


def _line(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of a path, or of what is nearest above it."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None

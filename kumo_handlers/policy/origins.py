"""Where the entries of a policy were written, for people: the line of a file, a row of a table."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from copy import copy
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import AddressError
from kumo_handlers.policy import source
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import entries_of, fold_key
from kumo_handlers.policy.listener_domain import SECTIONS, ListenerDomain
from kumo_handlers.policy.source_lines import find_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kumo_handlers.policy.entries import Entries
    from kumo_handlers.policy.source_lines import Path

# Section and key of an entry, as the policy knows it.
Entry = tuple[str, str]

_REMEMBERED = 10_000
_DEEPEST = 3  # listener, section, domain


class Origins:
    """The sources of a policy, without what was in the files.

    ``version`` is a hash of their content, ``files`` are those to be watched.
    """

    def __init__(self, sources: Iterable[source.Source], parts: Iterable[Entries] = ()) -> None:
        self._stamps: dict[str, source.Stamp] = {}
        self._indexes: dict[str, dict[Entry, int]] = {}
        self._rows: dict[str, Entries] = {}
        self._digests: list[str] = []
        for read, entries in zip_longest(sources, parts):
            self._digests.append(read.digest)
            self._stamps[read.name] = read.stamp
            if read.is_table:
                self._rows[read.name] = entries
            elif not read.is_file:
                paths = dict.fromkeys(_paths(read.tables), 0)
                self._indexes[read.name] = dict(_entries(paths))
        self.files = tuple(name for name, stamp in self._stamps.items() if stamp)
        self._finish()

    def _finish(self) -> None:
        self.version = hashlib.sha256("".join(self._digests).encode()).hexdigest()[:16]
        # A refusal asks on the event loop, and a large file takes 50 ms to search.
        self.find = lru_cache(_REMEMBERED)(self._find)

    def change(self, digests: Iterable[str | None]) -> Origins:
        """The same sources, of which some have another content now: those with a digest here."""
        made = copy(self)
        made._digests = [now or was for was, now in zip(self._digests, digests, strict=True)]  # noqa: SLF001 - its own
        made._finish()  # noqa: SLF001 - as above
        return made

    def are_current(self) -> bool:
        """Whether every file is still the one that was read."""
        return all(source.stamp(name) == self._stamps[name] for name in self.files)

    def _find(self, section: str, key: str) -> str:
        """``FILE:LINE`` of an entry in each source that has it, ``""`` where none is left."""
        places = (self._place(name, (section, key)) for name in self._stamps)
        return ", ".join(filter(None, places))

    def _place(self, name: str, entry: Entry) -> str:
        if name in self._rows:
            section, key = entry
            if key not in entries_of(self._rows[name], section):
                return ""
            return f"{name} row {Found(ListenerDomain(), key, section)}"
        line = self._line(name, entry)
        if line is None:
            return ""
        return f"{name}:{line}" if line else name

    def _line(self, name: str, entry: Entry) -> int | None:
        """The line of an entry; 0 in a table that has no lines, None where it is not."""
        if name in self._indexes:
            return self._indexes[name].get(entry)
        if source.stamp(name) != self._stamps[name]:
            return None
        content = source.content(name)
        line = _header_line(content, entry)
        if line is not None or not _may_speak_of(content, entry[1]):
            return line
        lines = find_lines(source.decode(name, content), deepest=_DEEPEST)
        self._indexes[name] = dict(_entries(lines))
        return self._indexes[name].get(entry)


def _header_line(content: bytes, entry: Entry) -> int | None:
    """The line of an entry that has a plain header: found by a search, without a scan.

    The log asks for the origin of what it refuses, and a large file takes a second to scan.
    """
    for name in (f'"{entry[1]}"', f"'{entry[1]}'"):
        wanted = name.encode()
        at = content.find(wanted)
        while at >= 0:
            start = content.rfind(b"\n", 0, at) + 1
            end = content.find(b"\n", at)
            line = content[start : end if end >= 0 else None].decode(errors="replace").lstrip()
            if line.startswith("[") and entry in dict(_entries(find_lines(line))):
                return content.count(b"\n", 0, start) + 1
            at = content.find(wanted, at + 1)
    return None


def _may_speak_of(content: bytes, key: str) -> bool:
    """Whether a file can hold a key in another spelling: case, an escape, a U-label."""
    return "xn--" in key or b"\\" in content or key.encode() in content.lower()


def _paths(tables: Mapping[str, Any]) -> Iterator[Path]:
    """The paths of the entries in a table that was given in place."""
    yield from ((name,) for name in tables)
    for section, part in tables.get(SECTIONS, {}).items():
        yield from ((SECTIONS, section, name) for name in part)


def _entries(lines: Mapping[Path, int]) -> Iterator[tuple[Entry, int]]:
    """The lines of the entries among ``lines``."""
    for path, line in lines.items():
        match path:
            case [name] if name != SECTIONS:
                section = ""
            case [first, listener, name] if first == SECTIONS:
                section = canonical(listener)
            case _:
                continue
        with suppress(AddressError):
            yield (section, fold_key(name)), line

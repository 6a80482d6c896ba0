"""Where the entries of a policy were written, for people."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import AddressError
from kumo_handlers.policy import source
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import fold_key
from kumo_handlers.policy.listener_domain import SECTIONS
from kumo_handlers.policy.source_lines import find_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kumo_handlers.policy.source_lines import Path

# Section and key of an entry, as the policy knows it.
Entry = tuple[str, str]

_REMEMBERED = 10_000
_DEEPEST = 3  # listener, section, domain


class Origins:
    """The sources of a policy, without what was in the files.

    ``version`` is a hash of their content, ``files`` are those to be watched.
    """

    def __init__(self, sources: Iterable[source.Source]) -> None:
        self._stamps: dict[str, source.Stamp] = {}
        self._indexes: dict[str, dict[Entry, int]] = {}
        digests = ""
        for read in sources:
            digests += read.digest
            self._stamps[read.name] = read.stamp
            if not read.is_file:
                paths = dict.fromkeys(_paths(read.tables), 0)
                self._indexes[read.name] = dict(_entries(paths))
        self.files = tuple(name for name, stamp in self._stamps.items() if stamp)
        self.version = hashlib.sha256(digests.encode()).hexdigest()[:16]

        # A refusal asks on the event loop, and a large file takes 50 ms to search.
        self.find = lru_cache(_REMEMBERED)(self._find)

    def _find(self, section: str, key: str) -> str:
        """``FILE:LINE`` of an entry in each source that has it, ``""`` where none is left."""
        places = ((name, self._line(name, (section, key))) for name in self._stamps)
        return ", ".join(
            f"{name}:{line}" if line else name for name, line in places if line is not None
        )

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

"""Where the entries of a policy were written, for people."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import AddressError, ConfigurationError
from kumo_handlers.policy import source
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import SECTIONS, fold_key
from kumo_handlers.policy.source_lines import find_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kumo_handlers.policy.source_lines import Path

# Section and key of an entry, and its line; no line in a table that was given in place.
Index = dict[tuple[str, str], int | None]


class Origins:
    """The sources of a policy, without what was in the files.

    ``version`` is a hash of their content, ``files`` are those to be watched.
    """

    def __init__(self, sources: Iterable[source.Source]) -> None:
        self._digests: dict[str, str] = {}
        self._indexes: dict[str, Index] = {}
        for read in sources:
            self._digests[read.name] = read.digest
            if not read.is_file:
                self._indexes[read.name] = _index_of(dict.fromkeys(_table_paths(read.tables)))
        self.files = tuple(name for name in self._digests if name not in self._indexes)
        self.version = hashlib.sha256("".join(self._digests.values()).encode()).hexdigest()[:16]

    def find(self, section: str, key: str) -> str:
        """``FILE:LINE`` of an entry in each source that has it, ``""`` where none is left."""
        places = []
        for name in self._digests:
            index = self._index(name)
            if (section, key) in index:
                line = index[section, key]
                places.append(name if line is None else f"{name}:{line}")
        return ", ".join(places)

    def _index(self, name: str) -> Index:
        if name not in self._indexes:
            self._indexes[name] = self._read(name)
        return self._indexes[name]

    def _read(self, name: str) -> Index:
        """The lines of a file; none when it is no longer the file that was loaded."""
        try:
            read = source.from_file(name)
        except ConfigurationError:
            return {}
        return _index_of(find_lines(read.text)) if read.digest == self._digests[name] else {}


def _table_paths(tables: Mapping[str, Any]) -> Iterator[Path]:
    """The paths of the entries in a table that was given in place."""
    yield from ((name,) for name in tables)
    for section, part in tables.get(SECTIONS, {}).items():
        yield from ((SECTIONS, section, name) for name in part)


def _index_of(lines: Mapping[Path, int | None]) -> Index:
    """Lines by section and key, as the policy knows them."""
    index: Index = {}
    for path, line in lines.items():
        match path:
            case [name] if name != SECTIONS:
                section = ""
            case [first, listener, name] if first == SECTIONS:
                section = canonical(listener)
            case _:
                continue
        with suppress(AddressError):
            index.setdefault((section, fold_key(name)), line)
    return index

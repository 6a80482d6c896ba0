"""Read a large TOML file piece by piece.

The parser keeps a note on every key it has seen, a gigabyte for a million tables, and slows down
as they grow. Cut at headers into pieces of some kilobytes, the same file takes a third of the time
and next to no memory. A cut inside a string or a list leaves the piece before it without an end,
which is always an error; then, and whenever two pieces have something to do with each other, the
file is read whole, and what the parser says of it stands. A listener's section may go on in
another piece; that its own header then comes twice goes unnoticed, and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli

from kumo_handlers.policy.listener_domain import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 65_536


class _EntangledError(Exception):
    """Two pieces speak of the same table: only the whole tells whether they may."""


def parse(text: str) -> dict[str, Any]:
    """What ``tomli.loads`` gives, equal tables being one object in a large file.

    Raises what ``tomli.loads`` raises.
    """
    if len(text) > _PIECE:
        try:
            return _parse_pieces(text)
        except (tomli.TOMLDecodeError, _EntangledError):
            pass
    return tomli.loads(text)


def _parse_pieces(text: str) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    equal: dict[str, Any] = {}
    for piece in _pieces(text):
        parsed = tomli.loads(piece)
        sections = parsed.pop(SECTIONS, {})
        _join(tables, parsed, equal)
        for section, part in _sections(sections):
            _join(tables.setdefault(SECTIONS, {}).setdefault(section, {}), part, equal)
    return tables


def _sections(sections: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections of listeners, which may go on in the next piece."""
    if not isinstance(sections, dict):
        raise _EntangledError
    for section, part in sections.items():
        if not isinstance(part, dict):
            raise _EntangledError
        yield section, part


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        header = text.find("\n[", start + _PIECE)
        end = len(text) if header < 0 else header + 1
        yield text[start:end]
        start = end


def _join(tables: dict[str, Any], more: dict[str, Any], equal: dict[str, Any]) -> None:
    if not tables.keys().isdisjoint(more):
        raise _EntangledError
    for name, table in more.items():
        tables[name] = equal.setdefault(repr(table), table)

"""`peer` and `via`: options of a listener that hold for some clients, or some local addresses.

Each is a table keyed by CIDR block. All blocks that hold the address apply, the longest prefix
last; what `peer` says comes after what `via` says. Finding them costs one look-up for each length
of prefix in use, whatever the number of blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from kumo_handlers.policy import networks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Overrides:
    """Options by CIDR block. ``blocks`` are as they were written, with values already read."""

    __slots__ = ("_widths", "blocks")

    def __init__(self, blocks: Mapping[str, Mapping[str, Any]]) -> None:
        self.blocks = dict(blocks)
        self._widths = _by_width(blocks)

    @classmethod
    def none(cls) -> Self:
        """No block at all."""
        return cls({})

    def find(self, host: str) -> dict[str, Any]:
        """The options for ``host``; none for what is no address."""
        packed = networks.pack(host) if self._widths else None
        options: dict[str, Any] = {}
        if packed is None:
            return options
        number = int.from_bytes(packed)
        for size, width, blocks in self._widths:
            if size == len(packed) and (found := blocks.get(number >> width)) is not None:
                options = merge(options, found)
        return options

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Overrides) and self.blocks == other.blocks

    def __hash__(self) -> int:
        return hash(tuple(self.blocks))

    def __repr__(self) -> str:
        return f"Overrides({self.blocks})"


def merge(options: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Later options replace earlier ones, but for ``meta``, which is added to."""
    merged = {**options, **later}
    if "meta" in options and "meta" in later:
        merged["meta"] = {**options["meta"], **later["meta"]}
    return merged


def _by_width(
    blocks: Mapping[str, Mapping[str, Any]],
) -> list[tuple[int, int, dict[int, Mapping[str, Any]]]]:
    """(bytes of an address, bits behind the prefix, options by prefix), short prefixes first."""
    tables: dict[tuple[int, int], dict[int, Mapping[str, Any]]] = {}
    for text, options in blocks.items():
        for size, width, prefix in _prefixes(text):
            table = tables.setdefault((size, width), {})
            table[prefix] = merge(table.get(prefix, {}), options)
    return [(size, width, tables[size, width]) for size, width in sorted(tables, reverse=True)]


def _prefixes(text: str) -> Iterator[tuple[int, int, int]]:
    """A block as the number that its addresses begin with; ``any`` is two blocks."""
    for start, end in networks.parse_block(text):
        first, last = int.from_bytes(start), int.from_bytes(end)
        width = (last - first).bit_length()
        yield len(start), width, first >> width

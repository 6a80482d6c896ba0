"""A set of networks, asked for one address at a time.

The set is kept as sorted, disjoint ranges of packed addresses, IPv4 and IPv6 apart, so that the
cost of a question does not grow with the number of blocks. An IPv4 address seen through an IPv6
socket (``::ffff:10.0.0.1``, RFC 4291, 2.5.5.2) is that IPv4 address, in questions and in blocks.
What is no address (a Unix socket has none) is in no set, not even in ``any``.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, Self

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY = "any"
EXPECTED = "an IP address, a CIDR block, or any"

_MAPPED = b"\x00" * 10 + b"\xff\xff"
_V4, _V6 = 4, 16

Range = tuple[bytes, bytes]


class Networks:
    """An immutable set of CIDR blocks. ``"10.1.2.3" in networks`` is the question.

    ``blocks`` are as they were written, in their order. Sets with the same blocks are equal.
    """

    __slots__ = ("_ranges", "blocks")

    def __init__(self, blocks: tuple[str, ...], ranges: Iterable[Range]) -> None:
        self.blocks = blocks
        self._ranges = _by_family(ranges)

    @classmethod
    def parse(cls, blocks: Iterable[str]) -> Self:
        """Read addresses, CIDR blocks and ``any``.

        Raises `ConfigurationError` with a problem for each block that is none of these.
        """
        texts = tuple(blocks)
        ranges: list[Range] = []
        problems = []
        for text in texts:
            try:
                ranges += parse_block(text)
            except ValueError:
                problems.append(explain(text))
        if problems:
            raise ConfigurationError(problems)
        return cls(texts, ranges)

    def __contains__(self, host: object) -> bool:
        packed = pack(host) if isinstance(host, str) else None
        if packed is None:
            return False
        starts, ends = self._ranges[len(packed)]
        index = bisect_right(starts, packed) - 1
        return index >= 0 and packed <= ends[index]

    def source_of(self, host: str) -> str | None:
        """The narrowest block that holds ``host``, as it was written; None where none does."""
        if host not in self:
            return None
        packed = pack(host) or b""
        holding = [
            (int.from_bytes(end) - int.from_bytes(start), text)
            for text in self.blocks
            for start, end in parse_block(text)
            if len(start) == len(packed) and start <= packed <= end
        ]
        return min(holding)[1]

    @property
    def holds_everyone(self) -> bool:
        """Whether every IPv4 address is in it, or every IPv6 address."""
        return any(_is_whole(size, *ranges) for size, ranges in self._ranges.items())

    def __bool__(self) -> bool:
        return bool(self.blocks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Networks) and self.blocks == other.blocks

    def __hash__(self) -> int:
        return hash(self.blocks)

    def __repr__(self) -> str:
        return f"Networks({list(self.blocks)})"


@lru_cache(maxsize=16_384)
def pack(host: str) -> bytes | None:
    """The 4 or 16 bytes of an address; None for what is no address.

    A peer is asked about many times in one connection, and parsing is half of an answer's cost.
    """
    try:
        if ":" not in host:
            return inet_pton(AF_INET, host)
        # RFC 4007, 11: the zone after % names an interface of this machine, not a network.
        packed = inet_pton(AF_INET6, host.partition("%")[0])
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed


def parse_block(text: str) -> tuple[Range, ...]:
    """The ranges of one block. Raises ValueError for what is none."""
    if text == ANY:
        return ((b"\x00" * _V4, b"\xff" * _V4), (b"\x00" * _V6, b"\xff" * _V6))
    host, slash, prefix = text.partition("/")
    try:
        start = inet_pton(AF_INET6 if ":" in host else AF_INET, host)
    except (OSError, ValueError) as error:
        raise ValueError(text) from error
    if not slash:
        return (_unmap(start, start),)
    if not (prefix.isascii() and prefix.isdigit() and str(int(prefix)) == prefix):
        raise ValueError(text)
    width = len(start) * 8 - int(prefix)
    if width < 0:
        raise ValueError(text)
    first, mask = int.from_bytes(start), (1 << width) - 1
    if first & mask:
        raise ValueError(text)
    return (_unmap(start, (first | mask).to_bytes(len(start))),)


def _unmap(start: bytes, end: bytes) -> Range:
    """A range wholly of IPv4-mapped addresses as the IPv4 range it means."""
    if len(start) == _V6 and start.startswith(_MAPPED) and end.startswith(_MAPPED):
        return start[12:], end[12:]
    return start, end


def _by_family(ranges: Iterable[Range]) -> dict[int, tuple[list[bytes], list[bytes]]]:
    """Sorted, disjoint starts and ends, by the length of a packed address."""
    families: dict[int, tuple[list[bytes], list[bytes]]] = {_V4: ([], []), _V6: ([], [])}
    for start, end in sorted(ranges):
        starts, ends = families[len(start)]
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return families


def _is_whole(size: int, starts: list[bytes], ends: list[bytes]) -> bool:
    """Whether ranges of addresses of ``size`` bytes leave no gap: two halves are a whole too."""
    free = 0
    for start, end in zip(starts, ends, strict=True):
        if int.from_bytes(start) != free:
            return False
        free = int.from_bytes(end) + 1
    return free == 1 << 8 * size


def explain(text: str) -> Problem:
    """Why a block was refused, and what may have been meant."""
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = None
    else:
        hint = f"Did you mean {meant}?"
    return Problem(message="not a network", value=repr(text), expected=EXPECTED, hint=hint)

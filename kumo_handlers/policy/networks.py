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
from operator import lt
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, Self

from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY = "any"
EXPECTED = "an IP address, a CIDR block, or any"

_MAPPED = b"\x00" * 10 + b"\xff\xff"
_V4, _V6 = 4, 16

# Ranges are read as one piece, start and end, which sorts faster than a pair, and as well.
_EVERYONE = (b"\x00" * _V4 + b"\xff" * _V4, b"\x00" * _V6 + b"\xff" * _V6)

# The bits of an address that are free in a block, by its prefix as it is written.
_V4_MASKS = {str(32 - width): (1 << width) - 1 for width in range(33)}
_V6_MASKS = {str(128 - width): (1 << width) - 1 for width in range(129)}

Range = tuple[bytes, bytes]


class Networks:
    """An immutable set of CIDR blocks. ``"10.1.2.3" in networks`` is the question.

    ``blocks`` are as they were written, in their order. Sets with the same blocks are equal.
    """

    __slots__ = ("_ranges", "blocks")

    def __init__(self, blocks: tuple[str, ...], ranges: Iterable[bytes]) -> None:
        self.blocks = blocks
        self._ranges = _by_family(ranges)

    @classmethod
    def parse(cls, blocks: Iterable[str]) -> Self:
        """Read addresses, CIDR blocks and ``any``.

        Raises `ConfigurationError` with a problem for each block that is none of these.
        """
        texts = tuple(blocks)
        try:
            ranges = [_parse_cidr(text) for text in texts if text != ANY]
        except ValueError as error:
            problems = [explain(text) for text in texts if not is_block(text)]
            raise ConfigurationError(problems) from error
        return cls(texts, (*ranges, *_EVERYONE) if ANY in texts else ranges)

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
    joined = _EVERYONE if text == ANY else (_parse_cidr(text),)
    return tuple((each[: len(each) // 2], each[len(each) // 2 :]) for each in joined)


def _parse_cidr(text: str) -> bytes:
    """The first address of a block and its last one, in one piece."""
    host, slash, prefix = text.partition("/")
    is_v6 = ":" in host
    masks = _V6_MASKS if is_v6 else _V4_MASKS
    try:
        start = inet_pton(AF_INET6 if is_v6 else AF_INET, host)
        mask = masks[prefix] if slash else 0
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(text) from error
    first = int.from_bytes(start)
    if first & mask:
        raise ValueError(text)
    end = (first | mask).to_bytes(len(start))
    return _unmap(start, end) if is_v6 else start + end


def is_block(text: str) -> bool:
    """Whether it is an address, a CIDR block, or ``any``."""
    try:
        return bool(parse_block(text))
    except ValueError:
        return False


def _unmap(start: bytes, end: bytes) -> bytes:
    """A range wholly of IPv4-mapped addresses as the IPv4 range it means."""
    if start.startswith(_MAPPED) and end.startswith(_MAPPED):
        return start[12:] + end[12:]
    return start + end


def _by_family(ranges: Iterable[bytes]) -> dict[int, tuple[list[bytes], list[bytes]]]:
    """Sorted, disjoint starts and ends, by the length of a packed address."""
    families: dict[int, list[bytes]] = {_V4: [], _V6: []}
    for each in ranges:
        families[len(each) >> 1].append(each)
    return {size: _disjoint(sorted(family), size) for size, family in families.items()}


def _disjoint(ranges: list[bytes], size: int) -> tuple[list[bytes], list[bytes]]:
    """Starts and ends of sorted ranges, those that overlap as one."""
    starts, ends = [each[:size] for each in ranges], [each[size:] for each in ranges]
    if all(map(lt, ends, starts[1:])):
        return starts, ends
    joined = zip(starts, ends, strict=True)
    starts, ends = [], []
    for start, end in joined:
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


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
        # A zone (RFC 4007, 11) is read there and not here.
        hint = f"Did you mean {meant}?" if is_block(str(meant)) else None
    value = repr(service.masked(text))
    return Problem(message="not a network", value=value, expected=EXPECTED, hint=hint)

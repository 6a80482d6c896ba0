"""The log read back: segment after segment, line by line, from a moment on, or from the end.

Nothing is ever held but a block: a log may be larger than memory. The newest segment may end in
a line that is not whole yet; it is left for the next look. A segment may vanish, or be cut,
while it is read: what is gone is passed over.
"""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from kumo_handlers.journal.segment import begun, segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK = 1 << 20
LOOK = 0.25  # seconds between two looks at what is being written


class Place(NamedTuple):
    """Up to where the log was read: whole lines of ``segment``, ``offset`` bytes of it."""

    segment: str
    offset: int


START = Place("", 0)


def chosen(folder: Path, since: float = 0.0) -> list[Path]:
    """The segments that can hold what was logged at ``since`` or later, the oldest first.

    A segment is done with when the next one is begun, and its name says when that was.
    """
    paths = segments(folder)
    first = 0
    while first + 1 < len(paths) and begun(paths[first + 1]) <= since:
        first += 1
    return paths[first:]


def blocks(path: Path, offset: int = 0, end: float = inf) -> Iterator[bytes]:
    """Whole lines between two offsets, many at a time; what is gone or torn gives nothing."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    rest = b""
    with file:
        file.seek(offset)
        while block := file.read(int(min(BLOCK, max(0, end - file.tell())))):
            whole = block.rfind(b"\n") + 1
            if whole:
                yield rest + block[:whole]
                rest = block[whole:]
            else:
                rest += block


def lines(folder: Path, since: float, until: Place) -> Iterator[bytes]:
    """Each whole line before ``until`` of the segments that `chosen` gives; no line feeds."""
    for path in chosen(folder, since):
        if path.name <= until.segment:
            for block in blocks(path, 0, until.offset if path.name == until.segment else inf):
                yield from block.split(b"\n")[:-1]


def lines_backwards(folder: Path, until: Place) -> Iterator[bytes]:
    """Each whole line before ``until``, the newest first."""
    for path in reversed(segments(folder)):
        if path.name <= until.segment:
            yield from _backwards(path, until.offset if path.name == until.segment else inf)


def _backwards(path: Path, limit: float) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        end, rest, is_last = int(min(file.seek(0, 2), limit)), b"", True
        while end:
            start = max(0, end - BLOCK)
            file.seek(start)
            first, *whole = (file.read(end - start) + rest).split(b"\n")
            end, rest = start, first
            if whole and is_last:  # behind the last line feed stands nothing, or what is torn
                whole.pop()
                is_last = False
            yield from reversed(whole)
        if not is_last:
            yield rest


def end_of(folder: Path) -> Place:
    """Where the next line will stand."""
    paths = segments(folder)
    return Place(paths[-1].name, _whole_size(paths[-1])) if paths else START


def _whole_size(path: Path) -> int:
    """The size without a line that is not whole. Looks at the end alone."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            while end:
                start = max(0, end - BLOCK)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    return start + found + 1
                end = start
    except FileNotFoundError:
        pass
    return 0


def follow(
    folder: Path, place: Place, wait: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """Each line behind ``place``, for ever, as it is written."""
    while True:
        for path in [each for each in segments(folder) if each.name >= place.segment]:
            if path.name != place.segment:
                place = Place(path.name, 0)
            place = _not_beyond(path, place)
            for block in blocks(path, place.offset):
                yield from block.split(b"\n")[:-1]
                place = Place(place.segment, place.offset + len(block))
        wait(LOOK)


def _not_beyond(path: Path, place: Place) -> Place:
    """The place in a file that somebody may have cut: what is written next begins at its end."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return place
    return Place(place.segment, min(place.offset, size))

"""The log read for a destination, from a place on: in order, whole lines, as they are written.

What is open stays readable though somebody deletes it. A segment that was deleted before it was
opened is passed over and told of: what it held is lost to this destination.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from kumo_handlers.journal.segment import segments
from kumo_handlers.shipping.state import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

MOST_LINES = 500
MOST_BYTES = 1 << 20
_NONE = -1  # no descriptor


class Stretch(NamedTuple):
    """Whole lines, without line feeds, and the place behind the last of them."""

    lines: list[bytes]
    place: Place


class Follower:
    """Reads on from ``place``. ``on_gone`` is given the place in a segment that is not there."""

    def __init__(self, folder: Path, place: Place, on_gone: Callable[[Place], None]) -> None:
        self._folder = folder
        self._place = place
        self._on_gone = on_gone
        self._file = _NONE

    def read(self, lines: int = MOST_LINES, size: int = MOST_BYTES) -> Stretch | None:
        """The next lines, at most so many, and about so many bytes; None while there are none.

        A line is given whole, however long it is. One that is not ended yet is left.
        """
        while self._is_open():
            later = self._later()  # asked first: it is begun when the one before is whole
            found = self._lines(lines, size)
            if found:
                return found
            if later is None:
                return None
            self._leave()
            self._place = Place(later.name)
        return None

    def close(self) -> None:
        """Let go of the file."""
        if self._file != _NONE:
            os.close(self._file)
            self._file = _NONE

    def _is_open(self) -> bool:
        """Whether there is a segment to read, opened here if it is not yet."""
        while self._file == _NONE:
            if not self._place.segment or not self._open():
                later = self._later()
                if later is None:
                    return False
                self._place = Place(later.name)
        return True

    def _open(self) -> bool:
        """Open the segment of the place. What is there under its name may be another one."""
        place = self._place
        try:
            file = os.open(self._folder / place.segment, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._on_gone(place)
            return False
        self._file = file
        inode = os.fstat(file).st_ino
        if place.inode not in (0, inode):
            log.warning("%s is another file now: it is shipped from its start", place.segment)
            place = Place(place.segment)
        self._place = Place(place.segment, inode, place.offset, place.line)
        return True

    def _later(self) -> Path | None:
        """The segment after the place's."""
        name = self._place.segment
        return next((path for path in segments(self._folder) if path.name > name), None)

    def _lines(self, lines: int, size: int) -> Stretch | None:
        file, place = self._file, self._place
        if os.fstat(file).st_size < place.offset:
            log.warning("%s was cut: it is shipped from its start", place.segment)
            place = Place(place.segment, place.inode)
        block = _whole(file, place.offset, size)
        found = block.split(b"\n", lines)[:lines]
        if block.count(b"\n") < lines:
            found.pop()  # what stands behind the last line feed: nothing
        if not found:
            self._place = place
            return None
        length = sum(map(len, found)) + len(found)
        self._place = Place(
            place.segment, place.inode, place.offset + length, place.line + len(found)
        )
        return Stretch(found, self._place)

    def _leave(self) -> None:
        """A later segment is there: this one is done with."""
        if torn := os.fstat(self._file).st_size - self._place.offset:
            log.error("%s ends in %d bytes that are no line", self._place.segment, torn)
        self.close()


def _whole(file: int, offset: int, size: int) -> bytes:
    """Whole lines from ``offset`` on: about ``size`` bytes, or one line that is longer."""
    while True:
        block = os.pread(file, size, offset)
        whole = block.rfind(b"\n") + 1
        if whole or len(block) < size:
            return block[:whole]
        size *= 2

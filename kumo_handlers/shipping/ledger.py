"""How much of the log there is to ship: the lines of each segment, counted as they are written.

So a destination's lag is known in records, and where a segment is deleted before it was shipped,
how many were lost with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.journal.segment import segments
from kumo_handlers.shipping.state import Extent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kumo_handlers.shipping.state import Place

_BLOCK = 1 << 20
_MOST = 64 * _BLOCK


class Ledger:
    """The extents of the segments that are still to be shipped."""

    def __init__(self, folder: Path, extents: Mapping[str, Extent]) -> None:
        self._folder = folder
        self.extents = dict(extents)
        self._visited: set[str] = set()

    def visit(self, segment: str) -> None:
        """The destination was given lines of this segment: it is open, and cannot be lost."""
        self._visited.add(segment)

    def look(self, place: Place) -> int:
        """Count what was written since the last look; of much, a part. Forget what is shipped.

        The answer is how many lines were lost: they were seen, and nobody can read them any more.
        """
        paths = segments(self._folder)
        lost = self._strike_all({path.name for path in paths})
        left = _MOST
        for path in paths:
            if path.name >= place.segment and left > 0:
                known = self.extents.get(path.name, Extent())
                seen = _grown(path, known, left)
                left -= seen.size - known.size
                self.extents[path.name] = seen
        self.extents = {
            name: extent for name, extent in self.extents.items() if name >= place.segment
        }
        self._visited &= {place.segment}
        return lost

    def behind(self, place: Place) -> int:
        """How many lines were seen behind ``place``."""
        every = sum(extent.lines for name, extent in self.extents.items() if name >= place.segment)
        return max(0, every - place.line)

    def strike(self, place: Place) -> int:
        """The segment of ``place`` cannot be opened: how many lines of it are lost."""
        extent = self.extents.pop(place.segment, Extent())
        return max(0, extent.lines - place.line)

    def _strike_all(self, there: set[str]) -> int:
        """Strike the segments that were never opened and are not there any more."""
        gone = self.extents.keys() - there - self._visited
        return sum(self.extents.pop(name).lines for name in gone)


def _grown(path: Path, known: Extent, most: int) -> Extent:
    """The extent now, at most ``most`` bytes further; of a file that was cut, anew."""
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) < known.size:
                known = Extent()
            file.seek(known.size)
            size, lines = known.size, known.lines
            while most > 0 and (block := file.read(_BLOCK)):
                whole = block.rfind(b"\n") + 1
                if not whole and len(block) == _BLOCK:
                    block += file.readline()
                    whole = len(block) if block.endswith(b"\n") else 0
                if not whole:
                    break
                size, lines, most = size + whole, lines + block.count(b"\n", 0, whole), most - whole
                file.seek(size)
            return Extent(size, lines)
    except FileNotFoundError:
        return known

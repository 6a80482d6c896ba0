"""Which messages were being handed over when the program died.

Between the final dot and our commit the relay may have a message of which we do not know it. A
crash there means that it is delivered again, and that is to be said. Each worker has a slot of
eight bytes in a small file, written without a flush: it survives the program, if not the machine.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SLOT = struct.Struct("<q")


class InFlight:
    """The file, opened. Numbers are those of messages in the queue; 0 marks a free slot."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def left_over(self) -> list[int]:
        """What the last run left."""
        octets = os.pread(self._file, 1 << 16, 0)
        whole = octets[: len(octets) // _SLOT.size * _SLOT.size]
        return sorted({number for (number,) in _SLOT.iter_unpack(whole) if number})

    def clear(self) -> None:
        """Forget the last run."""
        os.ftruncate(self._file, 0)

    def mark(self, slot: int, message: int) -> None:
        """The relay is about to get this message."""
        os.pwrite(self._file, _SLOT.pack(message), slot * _SLOT.size)

    def free(self, slot: int) -> None:
        """What became of it is durable."""
        self.mark(slot, 0)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

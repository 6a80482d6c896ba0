"""One file that grows at its end, by whole lines (or pages) or not at all.

Somebody may delete the file, move it away or cut it short while it is being written. What is
open stays open in each of these cases, so nothing goes astray as long as it is noticed.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIZE = 256 << 20
_NAME = re.compile(r"\d{8}-\d{6}\.jsonl")
_TIME = "%Y%m%d-%H%M%S"
_BLOCK = 1 << 16


class Segment:
    """An open file of the log. ``size`` is the length of what is whole in it, in bytes.

    ``flags`` are those of ``open`` that are wanted besides.
    """

    def __init__(self, path: Path, flags: int = 0) -> None:
        self.path = path
        flags |= os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o640)
        found = os.fstat(self._file)
        self._identity = (found.st_dev, found.st_ino)
        self.size = found.st_size
        self.synced = found.st_size
        self._torn = False

    def append(self, lines: bytes) -> None:
        """Write all of it. Raises OSError with the file as long as it was before."""
        if self._torn:
            self._cut()
        try:
            self._write(lines)
        except OSError:
            self._torn = True
            self._cut()
            raise
        self.size += len(lines)

    def _write(self, lines: bytes) -> None:
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _cut(self) -> None:
        os.ftruncate(self._file, self.size)
        self._torn = False

    def sync(self) -> None:
        """Make durable what was written."""
        if self.synced != self.size:
            os.fsync(self._file)
            self.synced = self.size

    def is_in_place(self) -> bool:
        """Whether the path still leads to this file."""
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def was_resized(self) -> bool:
        """Whether somebody else cut the file, or wrote to it: `size` is its length from now on."""
        found = os.fstat(self._file).st_size
        if self._torn or found == self.size:
            return False
        self.size = found
        self.synced = min(self.synced, found)
        return True

    def unsynced(self) -> bytes:
        """What was written since the last sync, where the file was deleted; else nothing.

        A file that was moved still holds its lines, wherever it is; a deleted one only as long
        as it is open.
        """
        if os.fstat(self._file).st_nlink:
            return b""
        return os.pread(self._file, self.size - self.synced, self.synced)

    def repair(self) -> bytes:
        """Take away a last line without its end, left by a crash. The answer is what it held."""
        end = self._whole_lines()
        torn = os.pread(self._file, self.size - end, end)
        if torn:
            os.ftruncate(self._file, end)
            os.fsync(self._file)
            self.size = self.synced = end
        return torn

    def _whole_lines(self) -> int:
        """Where the last whole line ends."""
        start = self.size
        while start:
            block = os.pread(self._file, min(_BLOCK, start), max(0, start - _BLOCK))
            start = max(0, start - _BLOCK)
            found = block.rfind(b"\n")
            if found >= 0:
                return start + found + 1
        return 0

    def close(self) -> None:
        """Let go of the file. It should be synced before."""
        os.close(self._file)


def sync_folder(folder: Path) -> None:
    """A new file is durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def segments(folder: Path) -> list[Path]:
    """The log files in ``folder``, the oldest first."""
    return sorted(path for path in folder.glob("*.jsonl") if _NAME.fullmatch(path.name))


def name_of(time: float) -> str:
    """The name of the segment begun at ``time`` (seconds since the epoch), in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime(f"{_TIME}.jsonl")


def begun(path: Path) -> float:
    """When the segment of that name was begun, in seconds since the epoch."""
    return datetime.strptime(path.stem, _TIME).replace(tzinfo=UTC).timestamp()

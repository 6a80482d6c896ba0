"""Messages kept whole for a person to look at: reports that could not be understood."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import StorageFullError
from kumo_handlers.journal.segment import sync_folder
from kumo_handlers.queue.database import storage_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_FILES = 10_000
MAX_BYTES = 1 << 30


class KeptMail(msgspec.Struct, frozen=True):
    """A message to keep, as it was received, under the id of its record."""

    id: str
    content: bytes

    @property
    def file_name(self) -> str:
        """What the file is called; the record names it."""
        return f"{self.id}.eml"


class KeptFolder:
    """A folder of kept messages, bounded by their count and their bytes."""

    def __init__(
        self, folder: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES
    ) -> None:
        self.folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._files = max_files  # unknown: counted at the first write
        self._bytes = 0

    def write(self, mails: Sequence[KeptMail]) -> None:
        """Keep all of them, durably, or none. Raises `StorageError`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._require_room(len(mails), sum(len(mail.content) for mail in mails))
            for mail in mails:
                self._write(mail)
            sync_folder(self.folder)
        except OSError as error:
            self.discard(mails)
            raise storage_error(error, self.folder) from error
        self._files += len(mails)
        self._bytes += sum(len(mail.content) for mail in mails)

    def discard(self, mails: Sequence[KeptMail]) -> None:
        """Take back what was written for a message that was refused after all."""
        for mail in mails:
            for name in (mail.file_name, f".{mail.file_name}"):
                with suppress(OSError):
                    (self.folder / name).unlink(missing_ok=True)

    def _write(self, mail: KeptMail) -> None:
        """First whole and synced, then under its name."""
        unfinished = self.folder / f".{mail.file_name}"
        with unfinished.open("wb") as file:
            file.write(mail.content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / mail.file_name)

    def _require_room(self, files: int, size: int) -> None:
        if self._has_room(files, size):
            return
        self._count()  # a person may have cleared it
        if not self._has_room(files, size):
            raise StorageFullError(f"{self.folder} holds {self._files} files, {self._bytes} bytes")

    def _has_room(self, files: int, size: int) -> bool:
        return self._files + files <= self._max_files and self._bytes + size <= self._max_bytes

    def _count(self) -> None:
        sizes = [entry.stat().st_size for entry in os.scandir(self.folder)]
        self._files = len(sizes)
        self._bytes = sum(sizes)

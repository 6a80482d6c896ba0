"""The daybook: what was accepted, page by page; a page is durable when it is written.

Messages that come together share a page, and so one step to the disk. Soon afterwards the page is
entered into the books, which are the database and the log, many pages at once. Pages that were not
when the program died are entered at its next start: the books know the last one they have.

A page in a file is its length, its checksum, and MessagePack. A crash can leave a part of a page
at the end of a file, or zeros in its place. Nobody was told that it is durable, and it is passed
over. So is what a failing disk has changed. As that may have been accepted, a file of which more
than zeros is passed over is kept, under the name ``NAME.damaged``.
"""

from __future__ import annotations

import logging
import os
import struct
import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from kumo_handlers.errors import StorageError
from kumo_handlers.journal.segment import Segment, sync_folder
from kumo_handlers.queue.database import storage_error
from kumo_handlers.queue.unit import Job, Unit
from kumo_handlers.queue.wire import Posted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_SIZE = 16 << 20  # bytes of a file: then the next is begun, and this one can soon be removed
_LOOK = 0.25  # seconds between two looks whether the file is still there
_HEAD = struct.Struct("<II")
_NAMES = f"{'[0-9]' * 16}.pages"


class Page(NamedTuple):
    """Jobs that became durable together. Numbers grow, from 1."""

    number: int
    jobs: Sequence[Job]
    messages: int
    bytes: int

    @classmethod
    def of(cls, number: int, jobs: Sequence[Job]) -> Page:
        """The page, with what it adds to the queue."""
        messages = sum([len(job.unit.mails) for job in jobs])
        return cls(number, jobs, messages, sum([job.size for job in jobs]))


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """A job as it stands on a page. Messages to keep are files of their own, written before."""

    lines: Sequence[bytes]
    keys: Sequence[str | None]
    mails: list[Posted]


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """A page as it stands in a file."""

    number: int
    entries: list[_Entry]


class _Ended(NamedTuple):
    """A file that is not written any more, and its last page."""

    path: Path
    last: int
    is_damaged: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Written)


class Daybook:
    """The files in ``folder``. One thread writes; `forget` may be called in another.

    ``durable=False`` leaves out the flush: for measurements only.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        # The flush is part of the write. As a step of its own it would let go of the
        # interpreter's lock once more, and to have that back takes longer than the step.
        self._flags = os.O_DSYNC if durable else 0
        self._number = 0
        self._file: Segment | None = None
        self._looked = 0.0
        self._ended: list[_Ended] = []

    def left_over(self, entered: int) -> Iterator[Page]:
        """At the start: the pages behind the last that was entered. Raises `StorageError`."""
        self._number = entered
        for path in sorted(self._folder.glob(_NAMES)):
            try:
                content = path.read_bytes()
            except OSError as error:
                raise storage_error(error, path) from error
            pages, rest = _whole_pages(path, content)
            for written in pages:
                if written.number > self._number:
                    self._number = written.number
                    yield Page.of(written.number, [_job(each) for each in written.entries])
            self._ended.append(_Ended(path, self._number, is_damaged=any(rest)))

    def write(self, jobs: Sequence[Job]) -> Page:
        """A page of these jobs, durable. Raises `StorageError`, and nothing of it stands then."""
        page = Page.of(self._number + 1, jobs)
        content = _encoder.encode(_Written(page.number, [_entry(job) for job in jobs]))
        try:
            file = self._begun(page.number)
            file.append(_HEAD.pack(len(content), zlib.crc32(content)) + content)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        self._number = page.number
        return page

    def is_lost(self) -> bool:
        """Whether somebody took the file away. The next page begins another one."""
        now = time.monotonic()
        if self._file is None or now - self._looked < _LOOK:
            return False
        self._looked = now
        try:
            if self._file.is_in_place():
                return False
            log.error("%s was deleted or moved; another one is begun", self._file.path)
        except OSError as error:
            log.error("another file is begun: %s", error)  # noqa: TRY400 - the reason is all there is
        self._end_file()
        return True

    def forget(self, entered: int) -> None:
        """Remove files of which the books have every page, durably. Raises `StorageError`."""
        while self._ended and self._ended[0].last <= entered:
            try:
                _let_go(self._ended[0])
            except OSError as error:
                raise storage_error(error, self._folder) from error
            del self._ended[0]

    @property
    def has_ended(self) -> bool:
        """Whether there are files that `forget` may remove."""
        return bool(self._ended)

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._end_file()

    def _begun(self, number: int) -> Segment:
        """The file to write to, which is named for its first page."""
        if self._file is not None and self._file.size >= MAX_SIZE:
            self._end_file()
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = Segment(self._folder / f"{number:016d}.pages", self._flags)
            sync_folder(self._folder)
        return self._file

    def _end_file(self) -> None:
        assert self._file is not None  # noqa: S101 - asked by who calls it
        self._ended.append(_Ended(self._file.path, self._number))
        self._file.close()
        self._file = None


def _entry(job: Job) -> _Entry:
    return _Entry(job.lines, job.keys, [Posted.of(mail) for mail in job.unit.mails])


def _job(entry: _Entry) -> Job:
    mails = tuple([each.mail() for each in entry.mails])
    return Job(Unit(mails=mails), entry.lines, entry.keys)


def _let_go(ended: _Ended) -> None:
    if not ended.is_damaged or not ended.path.exists():
        ended.path.unlink(missing_ok=True)
        return
    kept = ended.path.with_suffix(".damaged")
    ended.path.rename(kept)
    log.error("%s is kept: what was passed over may have been accepted", kept)


def _whole_pages(path: Path, content: bytes) -> tuple[list[_Written], bytes]:
    """The pages that can be read, and what else there is. Raises `StorageError`."""
    pages = []
    rest = b""
    start, last = 0, len(content) - _HEAD.size
    while start <= last:
        length, checksum = _HEAD.unpack_from(content, start)
        end = start + _HEAD.size + length
        if not length or end > len(content):
            break
        page = content[start + _HEAD.size : end]
        if zlib.crc32(page) == checksum:
            pages.append(_decoded(path, page))
        else:
            rest += content[start:end]
        start = end
    rest += content[start:]
    if rest:
        log.warning("%s has parts of pages: %d bytes are passed over", path, len(rest))
    return pages, rest


def _decoded(path: Path, page: bytes) -> _Written:
    try:
        return _decoder.decode(page)
    except msgspec.DecodeError as error:
        raise StorageError(f"{path}: a page is not understood: {error}") from error

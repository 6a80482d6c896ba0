"""The unit of work: what becomes durable together, and who waits for it."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.journal.record import Record, RecordType, encode
from kumo_handlers.queue.kept import KeptMail
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.queue.spool import EntryKey, Retry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_REPORTS = (RecordType.OOB, RecordType.FEEDBACK)


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """Records to log, mails to relay, messages to keep; all of it durable, or none.

    ``finished`` and ``retries`` are what became of entries that are in the queue already.
    """

    records: tuple[Record, ...] = ()
    mails: tuple[QueuedMail, ...] = ()
    kept: tuple[KeptMail, ...] = ()
    finished: tuple[EntryKey, ...] = ()
    retries: tuple[Retry, ...] = ()


class Job:
    """A unit on its way to the disk. ``error`` says why it did not get there.

    ``since`` is when it was submitted, on the monotonic clock. ``lines`` are its records, encoded;
    ``keys`` name the reports among them, None for the rest. Where they come from another process
    they are encoded already, and ``unit`` has no records. ``size`` is the bytes of its mails.
    """

    __slots__ = ("error", "keys", "lines", "since", "size", "unit")
    is_counted_elsewhere = False  # by the process that it comes from

    def __init__(
        self,
        unit: Unit,
        lines: Sequence[bytes] | None = None,
        keys: Sequence[str | None] | None = None,
    ) -> None:
        self.unit = unit
        self.error: Exception | None = None
        self.since = time.monotonic()
        self.lines = [encode(record) + b"\n" for record in unit.records] if lines is None else lines
        self.keys = [_key(record) for record in unit.records] if keys is None else keys
        self.size = sum([len(mail.content) for mail in unit.mails])

    @property
    def changes_queue(self) -> bool:
        """Whether it is about entries that are in the queue already."""
        return bool(self.unit.finished or self.unit.retries)


class LoopJob(Job):
    """A job that an event loop is told the end of."""

    __slots__ = ("loop",)
    loop: asyncio.AbstractEventLoop

    def settle(self) -> None:
        """It has come to its end. Called in its loop."""
        raise NotImplementedError


class AwaitedJob(LoopJob):
    """A job whose ``future`` an event loop waits for; what it gives then is ``answer``."""

    __slots__ = ("answer", "future")

    def __init__(self, unit: Unit, answer: object = None) -> None:
        super().__init__(unit)
        self.answer = answer
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def settle(self) -> None:
        """Wake who waits. Runs in its loop; who gave up waiting is not there any more."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.answer)
        else:
            self.future.set_exception(self.error)


class BlockingJob(Job):
    """A job that a thread waits for."""

    __slots__ = ("_done",)

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._done = threading.Lock()  # much cheaper than an Event
        self._done.acquire()

    def settle(self) -> None:
        """Wake the thread."""
        self._done.release()

    def wait(self) -> None:
        """Return when the unit is durable, or raise its error."""
        with self._done:
            if self.error is not None:
                raise self.error


def settle(jobs: Iterable[Job]) -> None:
    """Wake all who wait, each event loop once."""
    awaited: dict[asyncio.AbstractEventLoop, list[LoopJob]] = {}
    for job in jobs:
        if isinstance(job, LoopJob):
            awaited.setdefault(job.loop, []).append(job)
        elif isinstance(job, BlockingJob):
            job.settle()
    for loop, theirs in awaited.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(_settle_all, theirs)


def _settle_all(jobs: list[LoopJob]) -> None:
    for job in jobs:
        job.settle()


def _key(record: Record) -> str | None:
    """The key of a report; only what counts a report is never written twice."""
    key = record.key if record.type in _REPORTS else None
    # SQLite's JSON ends a string at NUL, and UTF-8 has no lone surrogates
    return key.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0") if key else None

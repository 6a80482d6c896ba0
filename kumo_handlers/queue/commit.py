"""One commit for all that waits: records, mail to relay and kept messages, durable together.

Whoever has a `Unit` submits it and waits. A thread takes all that were submitted meanwhile. Who
is alone is entered into the books at once: the database, flushed, and the log. Where several come
together they share a page of the daybook instead, which is one short step, and are answered then;
a second thread enters the pages into the books behind their back. Only what is durable is
answered.

What cannot be written is refused with a `StorageError`, and the reason is logged; the next
commit tries again from the start, so that service resumes by itself. Lines that are durable but
that a sink cannot take are kept, and nothing more is accepted until the sink has them.
"""

from __future__ import annotations

import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import StorageError, UnwritableError
from kumo_handlers.queue.books import Books
from kumo_handlers.queue.daybook import Daybook
from kumo_handlers.queue.gathering import Gathering
from kumo_handlers.queue.kept import KeptFolder
from kumo_handlers.queue.unit import AwaitedJob, BlockingJob, Job, Unit, settle

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kumo_handlers.journal.sink import Sink
    from kumo_handlers.queue.depth import Depth
    from kumo_handlers.queue.report_keys import ReportKeys
    from kumo_handlers.queue.spool import Limits

log = logging.getLogger(__name__)

_MOST = 1000  # jobs to one page: enough to share a flush, few enough to answer soon
_MOST_BYTES = 8 << 20  # of content, likewise
# Seconds in which pages gather that nobody waits for: entering many at once costs each less.
_PACE = 0.05
_SHORT_PACE = 0.001  # the same, where somebody waits, and was not alone the last time
# Messages, and bytes, that may wait to be entered: then pages are no faster than the books.
_AHEAD = (2_000, 64 << 20)
_SYNC = 0.25  # seconds between flushes of the sinks: seldom, and yet none takes long
_CLOSED = "the queue is closed"
_SAY = 1.0  # seconds between two words about the same refusal


class Committer:
    """The one writer of what is in ``run_dir``: ``queue/`` and, through the sinks, the log.

    ``durable=False`` is the mode ``commit = "none"``: the same path without the flush.
    """

    def __init__(
        self,
        run_dir: Path,
        sinks: Mapping[str, Sink],
        *,
        limits: Limits | None = None,
        durable: bool = True,
        kept: KeptFolder | None = None,
        keys: ReportKeys | None = None,
    ) -> None:
        self._daybook = Daybook(run_dir / "queue" / "daybook", durable=durable)
        self._books = Books(
            run_dir, sinks, self._daybook, limits=limits, keys=keys, durable=durable
        )
        self.database = self._books.database
        self.on_committed: Callable[[Sequence[Job]], None] = _uncounted
        self._kept = kept or KeptFolder(run_dir / "unparsed")
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._later: SimpleQueue[Job] = SimpleQueue()
        self._gate = threading.Lock()
        self._telling = threading.Lock()
        self._is_due = threading.Event()
        self._is_wanted = threading.Event()
        self._gathering: Gathering | None = None
        self._is_open = False
        self._is_shared = False
        self._is_over = False
        self._trouble = ""
        self._untidy = ""
        self._refused = 0.0
        self._tidied = time.monotonic()
        self._threads = [
            threading.Thread(target=self._take_jobs, name="commit", daemon=True),
            threading.Thread(target=self._keep_books, name="books", daemon=True),
        ]

    @property
    def on_queued(self) -> Callable[[], None]:
        """Called when there is mail in the queue that was not there."""
        return self._books.on_queued

    @on_queued.setter
    def on_queued(self, wake: Callable[[], None]) -> None:
        self._books.on_queued = wake

    def start(self) -> None:
        """Open the database, bring the log into step with it. Raises `StorageError`."""
        self._books.open()
        self._is_open = True
        for thread in self._threads:
            thread.start()

    def commit(self, unit: Unit, answer: object = None) -> asyncio.Future[Any]:
        """What gives ``answer`` when the unit is durable; for where an event loop runs.

        It raises `StorageError` instead, and then nothing of the unit stands.
        """
        job = AwaitedJob(unit, answer)
        if not self._is_open:
            raise StorageError(_CLOSED)
        if self._gathering is None or self._gathering.loop is not job.loop:
            self._gathering = Gathering(job.loop, self._hand_in)
        self._gathering.add(job)
        return job.future

    def commit_blocking(self, unit: Unit) -> None:
        """As `commit`, for a thread."""
        job = BlockingJob(unit)
        self._submit(job)
        job.wait()

    def submit(self, unit: Unit) -> None:
        """Commit soon, and let nobody wait: for what holds up no reply."""
        self._submit(Job(unit))

    def take(self, job: Job) -> None:
        """Commit what another process encoded. Raises `StorageError` after `close`."""
        self._submit(job)

    def depth(self) -> Depth:
        """How much waits for the relay. Raises `StorageError`."""
        return self._books.depth()

    def close(self) -> None:
        """Commit what waits, sync the log, and close everything."""
        with self._gate:
            if not self._is_open:
                return
            self._is_open = False
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _submit(self, *jobs: Job) -> None:
        with self._gate:
            if not self._is_open:
                raise StorageError(_CLOSED)
            for job in jobs:
                if job.changes_queue:
                    self._later.put(job)
                    self._is_wanted.set()
                    self._is_due.set()
                else:
                    self._jobs.put(job)

    def _hand_in(self, jobs: list[Job]) -> None:
        try:
            self._submit(*jobs)
        except StorageError as error:
            for job in jobs:
                job.error = error
            settle(jobs)

    def _take_jobs(self) -> None:
        """The thread that answers: pages of the daybook, and who is alone."""
        is_last = False
        while not is_last:
            jobs, is_last = self._waiting()
            if jobs:
                self._commit(jobs)
                self._is_due.set()
        self._daybook.close()
        self._is_over = True
        self._is_wanted.set()
        self._is_due.set()

    def _waiting(self) -> tuple[list[Job], bool]:
        """All that was submitted, and whether that is all there will ever be."""
        jobs: list[Job] = []
        size = 0
        try:
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                size += job.size
                if len(jobs) == _MOST or size > _MOST_BYTES:
                    return jobs, False
                job = self._jobs.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _commit(self, jobs: list[Job]) -> None:
        """Enter who is alone, give others a page; and wake who waits for it.

        Where one of several is at fault, each is entered alone.
        """
        is_alone = len(jobs) == 1 and not self._is_shared
        self._is_shared = len(jobs) > 1
        if is_alone or self._books.is_stuck or self._is_far_ahead() or self._daybook.is_lost():
            self._enter(jobs)
            return
        admitted = self._admitted(jobs)
        try:
            if admitted:
                self._books.hand_in(self._daybook.write(admitted))
                self._note_trouble("")
        except StorageError as error:
            self._refuse(admitted, error)
        except Exception:  # noqa: BLE001 - whose fault it is comes out there
            self._end([job for job in jobs if job.error is not None])
            for job in admitted:
                self._enter([job])
            return
        self._end(jobs)

    def _is_far_ahead(self) -> bool:
        """Whether so much waits to be entered that the next must wait for it, too."""
        messages, size = self._books.waiting()
        return messages > _AHEAD[0] or size > _AHEAD[1]

    def _enter(self, jobs: Sequence[Job]) -> None:
        """Enter jobs into the books, with all that waits, and wake who waits for them."""
        admitted = self._admitted(jobs)
        try:
            if admitted or self._books.has_pages:
                self._note_trouble(self._books.enter(admitted))
        except StorageError as error:
            self._refuse(admitted, error)
        except Exception as error:
            if len(admitted) > 1:
                self._end([job for job in jobs if job.error is not None])
                for job in admitted:
                    self._enter([job])
                return
            log.exception("a unit cannot be written")
            self._refuse(admitted, UnwritableError(f"a unit cannot be written: {error}"))
        self._end(jobs)

    def _admitted(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs there is room for, their kept messages written."""
        admitted = []
        messages = size = 0
        for job in jobs:
            unit = job.unit
            try:
                if unit.mails and not unit.finished:  # else it makes the room it needs
                    self._books.require_room(messages + len(unit.mails), size + job.size)
                if unit.kept:
                    self._kept.write(unit.kept)
            except StorageError as error:
                self._note_refusal(error)
                job.error = error
                continue
            admitted.append(job)
            messages += len(unit.mails)
            size += job.size
        return admitted

    def _end(self, jobs: Sequence[Job]) -> None:
        """Wake who waits. Whoever counts what was committed may fail, and mail goes on."""
        settle(jobs)
        try:
            with self._telling:
                self.on_committed([job for job in jobs if not job.is_counted_elsewhere])
        except Exception:
            log.exception("what was committed is not counted")

    def _keep_books(self) -> None:
        """The thread that enters pages, and what changes the queue.

        The latter is answered when it is entered, as whoever looks there next must see it.
        """
        is_last = is_shared = False
        while not is_last:
            was_due = self._is_due.wait(None if self._books.is_settled else _SYNC)
            self._is_due.clear()
            is_last = self._is_over
            if was_due and not is_last and self._is_wanted.wait(_PACE):
                self._is_wanted.clear()
                if is_shared:
                    time.sleep(_SHORT_PACE)
            jobs = [self._later.get() for _ in range(self._later.qsize())]
            is_shared = len(jobs) > 1
            if jobs or self._books.has_pages:
                self._enter(jobs)
            self._tidy(is_idle=not was_due, is_last=is_last)
        self._books.close()

    def _tidy(self, *, is_idle: bool, is_last: bool) -> None:
        now = time.monotonic()
        if not is_last and now - self._tidied < _SYNC:
            return
        self._tidied = now
        try:
            self._books.tidy(is_idle=is_idle or is_last)
        except StorageError as error:
            self._untidy = str(error)
        except Exception as error:  # noqa: BLE001 - said by its name; without this thread all mail hangs
            self._untidy = f"{type(error).__name__}: {error}"
        else:
            if self._trouble != self._untidy:  # that of a message, which the next one may have
                return
            self._untidy = ""
        self._note_trouble(self._untidy)

    def _refuse(self, jobs: Sequence[Job], error: StorageError) -> None:
        """Nothing of these stands. Of pages that wait nothing is lost: they are tried again."""
        if not isinstance(error, UnwritableError):
            self._note_trouble(str(error))
        for job in jobs:
            job.error = error
            self._kept.discard(job.unit.kept)

    def _note_refusal(self, error: StorageError) -> None:
        """Say why a message is refused while others are not; each second, not for each."""
        now = time.monotonic()
        if now - self._refused >= _SAY:
            self._refused = now
            log.error("no room, messages are refused: %s", error)

    def _note_trouble(self, trouble: str) -> None:
        """Say what is wrong once, not for each message, and when it is over."""
        if trouble and trouble != self._trouble:
            log.error("nothing can be stored, messages are refused: %s", trouble)
        elif self._trouble and not trouble:
            log.warning("storing works again")
        self._trouble = trouble


def _uncounted(jobs: Sequence[Job]) -> None:
    """Nobody counts what was committed."""

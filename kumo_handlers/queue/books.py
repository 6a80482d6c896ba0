"""The books: the database with the queue, and the log. What becomes of a job is decided here.

All pages of the daybook that wait, and the jobs that come with them, are entered in one
transaction; then the log lines are given to the sinks. A report that was logged before is left
out. A job that came by the daybook is durable, and nobody can be told any more that it was
refused: it waits while the books cannot be written, and if they cannot hold it, it is put aside.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from kumo_handlers.errors import StorageError
from kumo_handlers.queue.database import ENTERED, Database
from kumo_handlers.queue.depth import Depth, oldest_mail
from kumo_handlers.queue.kept import KeptFolder, KeptMail
from kumo_handlers.queue.outbox import Outbox
from kumo_handlers.queue.report_keys import ReportKeys
from kumo_handlers.queue.spool import Limits, Spool

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kumo_handlers.journal.sink import Sink
    from kumo_handlers.queue.daybook import Daybook, Page
    from kumo_handlers.queue.unit import Job

log = logging.getLogger(__name__)

_NOTE = "INSERT OR REPLACE INTO entered (only_row, page) VALUES (1, ?)"


class _TakenBackError(Exception):
    """Ends a transaction that was only tried."""


class Books:
    """Entered by one thread at a time. ``on_queued`` is told that there is mail in the queue."""

    def __init__(
        self,
        run_dir: Path,
        sinks: Mapping[str, Sink],
        daybook: Daybook,
        *,
        limits: Limits | None = None,
        keys: ReportKeys | None = None,
        durable: bool = True,
    ) -> None:
        self.database = Database(run_dir / "queue", durable=durable)
        self.on_queued: Callable[[], None] = _nobody
        self._daybook = daybook
        self._outbox = Outbox(sinks, run_dir / "log")
        self._spool = Spool(limits)
        self._keys = keys or ReportKeys()
        self._aside = KeptFolder(run_dir / "aside")
        self._lock = threading.Lock()
        self._pages: deque[Page] = deque()
        # messages and bytes of pages: each pair is changed by one thread at a time
        self._handed_in = (0, 0)
        self._taken = (0, 0)
        self._entered = 0
        self._is_stale = False
        self._failed = False

    def open(self) -> None:
        """Bring queue and log into step with what the last run accepted. Raises `StorageError`."""
        try:
            with self.database.transaction() as connection:
                self._spool.count(connection)
                (self._entered,) = connection.execute(ENTERED).fetchone()
            pages = list(self._daybook.left_over(self._entered))
            jobs = [job for page in pages for job in page.jobs]
            if jobs:
                log.warning("%d pages of the last run are entered now", len(pages))
            try:
                self._reconcile(pages, jobs)
            except StorageError:
                raise
            except Exception:  # noqa: BLE001 - which of them it is, and why, is said there
                self._reconcile(pages, self._sound(jobs))
            self._daybook.forget(self._entered)
        except BaseException:
            self.database.close()
            raise

    def _reconcile(self, pages: Sequence[Page], jobs: Sequence[Job]) -> None:
        """The pages first: the log may have lines of theirs that the database had not yet."""
        with self.database.transaction() as connection:
            self._spool.count(connection)
            self._outbox.resume(connection)
            self._write(connection, jobs)
            self._note_entered(connection, pages[-1].number if pages else self._entered)
            self._outbox.reconcile(connection)
        self._is_stale = False

    def hand_in(self, page: Page) -> None:
        """Have a page wait to be entered. By the daybook's thread; it waits for nobody."""
        messages, size = self._handed_in
        self._handed_in = (messages + page.messages, size + page.bytes)
        self._pages.append(page)

    @property
    def has_pages(self) -> bool:
        """Whether pages wait."""
        return bool(self._pages)

    @property
    def is_stuck(self) -> bool:
        """Whether what is durable could not be entered, or a sink lacks lines of it."""
        return self._failed or self._outbox.is_behind

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to do by and by."""
        return not (self._pages or self._outbox.is_behind or self._outbox.has_unsynced)

    def waiting(self) -> tuple[int, int]:
        """The messages, and their bytes, of the pages that wait."""
        (messages, size), (less, smaller) = self._handed_in, self._taken
        return messages - less, size - smaller

    def require_room(self, messages: int, size: int) -> None:
        """Raise `StorageFullError` where this much more would be too much."""
        waiting, waiting_size = self.waiting()
        self._spool.require_room(waiting + messages, waiting_size + size)

    def depth(self) -> Depth:
        """How much waits for the relay. Raises `StorageError`."""
        with self.database.reading() as connection:
            oldest = oldest_mail(connection)
        messages, size = self.waiting()
        return Depth(self._spool.messages + messages, self._spool.bytes + size, oldest)

    def enter(self, jobs: Sequence[Job] = ()) -> str:
        """Enter all pages that wait, and ``jobs``, which are durable then; what is wrong since.

        Raises `StorageError`; anything else it raises is the fault of one of ``jobs``. None of
        them stands then.
        """
        with self._lock:
            pages = tuple(self._pages)
            try:
                if self._outbox.is_behind:
                    self._outbox.push()
                trouble = self._store_all(pages, jobs)
            except StorageError:
                self._failed = bool(pages)
                raise
            self._failed = False
            return trouble

    def _store_all(self, pages: Sequence[Page], jobs: Sequence[Job]) -> str:
        """Pages and jobs in one go; apart, where something is at fault."""
        try:
            return self._store(pages, jobs)
        except StorageError:
            raise
        except Exception:
            if not pages:
                raise
            self._store_pages(pages)
            return self._store((), jobs)

    def _store_pages(self, pages: Sequence[Page]) -> None:
        """Whatever is in them, they are done with."""
        try:
            self._store(pages, ())
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - which of them it is, and why, is said there
            jobs = self._sound(self._jobs_of(pages))
            emptied = [page._replace(jobs=()) for page in pages]
            self._store([*emptied[:-1], emptied[-1]._replace(jobs=jobs)], ())

    def _jobs_of(self, pages: Sequence[Page]) -> list[Job]:
        """Those that are not entered yet: of a commit that failed SQLite may have kept all."""
        return [job for page in pages if page.number > self._entered for job in page.jobs]

    def _store(self, pages: Sequence[Page], jobs: Sequence[Job]) -> str:
        """One transaction; then the log lines. What the sinks have against them is the answer."""
        was_stale, self._is_stale = self._is_stale, True
        with self.database.transaction(flush=bool(jobs)) as connection:
            if was_stale:
                self._spool.count(connection)
                self._outbox.recover(connection)
                (self._entered,) = connection.execute(ENTERED).fetchone()
            everything = [*self._jobs_of(pages), *jobs]
            number, lines = self._write(connection, everything)
            struck = self._outbox.strike(connection)
            if pages:
                self._note_entered(connection, pages[-1].number)
        self._is_stale = False
        for page in pages:
            messages, size = self._taken
            self._taken = (messages + page.messages, size + page.bytes)
            self._pages.popleft()
        self._outbox.struck(struck)
        trouble = self._show(number, lines)
        if any(job.unit.mails for job in everything):
            self.on_queued()
        return trouble

    def _note_entered(self, connection: sqlite3.Connection, number: int) -> None:
        connection.execute(_NOTE, (number,))
        self._entered = number

    def _write(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> tuple[int, bytes]:
        """What the jobs say about queue and log; their lines, as the block of that number."""
        lines = self._new_lines(connection, jobs)
        number = self._outbox.add(connection, lines) if lines else 0
        units = [job.unit for job in jobs]
        if mails := [mail for unit in units for mail in unit.mails]:
            self._spool.add(connection, mails)
        if finished := [entry for unit in units for entry in unit.finished]:
            self._spool.finish(connection, finished)
        if retries := [retry for unit in units for retry in unit.retries]:
            self._spool.retry(connection, retries)
        return number, lines

    def _new_lines(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> bytes:
        """The lines of the jobs, without those of reports that were logged before."""
        keys = [key for job in jobs for key in job.keys if key is not None]
        if not keys:
            return b"".join([line for job in jobs for line in job.lines])
        seen = self._keys.seen(connection, keys)
        fresh = []
        lines = []
        for job in jobs:
            for line, key in zip(job.lines, job.keys, strict=True):
                if key is not None:
                    if key in seen:
                        log.debug("the report %s was logged before", key)
                        continue
                    seen.add(key)
                    fresh.append(key)
                lines.append(line)
        if fresh:
            self._keys.add(connection, fresh)
        return b"".join(lines)

    def _show(self, number: int, lines: bytes) -> str:
        """Append to the sinks. What fails is durable all the same, and waits for them."""
        try:
            if lines:
                self._outbox.append(number, lines)
        except StorageError as error:
            return str(error)
        return ""

    def _sound(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of durable jobs that the database can hold; the others are put aside."""
        sound = []
        for job in jobs:
            try:
                with self.database.transaction() as connection:
                    self._write(connection, [job])
                    raise _TakenBackError  # noqa: TRY301 - it is how a transaction is taken back
            except _TakenBackError:
                sound.append(job)
            except StorageError:
                raise
            except Exception:
                kept = [KeptMail(mail.id, mail.content) for mail in job.unit.mails]
                log.exception("accepted, and cannot be entered: %s, records %s", kept, job.lines)
                self._aside.write(kept)
            self._is_stale = True
        return sound

    def tidy(self, *, is_idle: bool) -> None:
        """Now and then: sinks synced, what is safe there struck, old files of pages removed.

        Raises `StorageError`, or whatever else is wrong.
        """
        with self._lock:
            if self._outbox.is_behind:
                self._outbox.push()
            if self._outbox.has_unsynced:
                self._outbox.sync()
            if (is_idle and self._outbox.has_unsynced) or self._daybook.has_ended:
                with self.database.transaction() as connection:
                    struck = self._outbox.strike(connection)
                    self._note_entered(connection, self._entered)
                self._outbox.struck(struck)
                self._daybook.forget(self._entered)

    def close(self) -> None:
        """Close log and database."""
        self._outbox.close()
        self.database.close()


def _nobody() -> None:
    """No delivery to wake: what is queued waits."""

"""One commit for all that waits: records, mail to relay and kept messages, durable together.

Whoever has a `Unit` submits it and waits. A single thread takes all that were submitted
meanwhile, writes them in one transaction, flushes once, gives the log lines to the sinks, and
wakes everybody. Only then a reply is sent.

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
from kumo_handlers.queue.database import Database
from kumo_handlers.queue.depth import Depth, oldest_mail
from kumo_handlers.queue.kept import KeptFolder
from kumo_handlers.queue.outbox import Outbox
from kumo_handlers.queue.report_keys import ReportKeys
from kumo_handlers.queue.spool import Limits, Spool
from kumo_handlers.queue.unit import AwaitedJob, BlockingJob, Job, Unit, settle

if TYPE_CHECKING:
    import asyncio
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kumo_handlers.journal.sink import Sink

log = logging.getLogger(__name__)

_MOST = 1000  # jobs to one commit: enough to share a flush, few enough to answer soon
# Seconds in which others may join a commit, where the last one was shared. What a commit costs
# apart from its jobs, above all waking and waiting for the interpreter's lock, is worth several
# messages; a client that is alone does not wait.
_GATHER = 0.001
_SYNC = 0.25  # seconds between flushes of the sinks: seldom, and yet none takes long
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
        self.database = Database(run_dir / "queue", durable=durable)
        self.on_queued: Callable[[], None] = _nobody
        self.on_committed: Callable[[Sequence[Job]], None] = _uncounted
        self._outbox = Outbox(sinks, run_dir / "log")
        self._spool = Spool(limits)
        self._kept = kept or KeptFolder(run_dir / "unparsed")
        self._keys = keys or ReportKeys()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._is_open = False
        self._is_shared = False
        self._is_stale = False
        self._trouble = ""
        self._refused = 0.0
        self._synced = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)

    def start(self) -> None:
        """Open the database, bring the log into step with it. Raises `StorageError`."""
        try:
            with self.database.transaction() as connection:
                self._spool.count(connection)
                self._outbox.reconcile(connection)
        except BaseException:
            self.database.close()
            raise
        self._is_open = True
        self._thread.start()

    def commit(self, unit: Unit, answer: object = None) -> asyncio.Future[Any]:
        """What gives ``answer`` when the unit is durable; for where an event loop runs.

        It raises `StorageError` instead, and then nothing of the unit stands.
        """
        job = AwaitedJob(unit, answer)
        self._submit(job)
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
        with self.database.reading() as connection:
            oldest = oldest_mail(connection)
        return Depth(self._spool.messages, self._spool.bytes, oldest)

    def close(self) -> None:
        """Commit what waits, sync the log, and close everything."""
        with self._gate:
            if not self._is_open:
                return
            self._is_open = False
            self._jobs.put(None)
        self._thread.join()

    def _submit(self, job: Job) -> None:
        with self._gate:
            if not self._is_open:
                raise StorageError("the queue is closed")
            self._jobs.put(job)

    def _run(self) -> None:
        """The thread: nothing else touches the outbox, the spool and the sinks."""
        is_last = False
        while not is_last:
            jobs, is_last = self._waiting()
            self._is_shared = len(jobs) > 1
            if jobs:
                self._commit(jobs)
                settle(jobs)
                self._tell(jobs)
            self._sync(is_idle=not jobs, is_last=is_last)
        self._outbox.close()
        self.database.close()

    def _tell(self, jobs: Sequence[Job]) -> None:
        """Whoever counts what was committed may fail, and mail goes on."""
        try:
            self.on_committed([job for job in jobs if not job.is_counted_elsewhere])
        except Exception:
            log.exception("what was committed is not counted")

    def _waiting(self) -> tuple[list[Job], bool]:
        """All that was submitted; nothing, when it is time to sync; and whether that is all."""
        jobs: list[Job] = []
        needs_tick = self._outbox.has_unsynced or self._outbox.is_behind
        try:
            job = self._jobs.get(timeout=_SYNC if needs_tick else None)
            if self._is_shared:
                time.sleep(_GATHER)
            while job is not None:
                jobs.append(job)
                if len(jobs) == _MOST:
                    return jobs, False
                job = self._jobs.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _commit(self, jobs: Sequence[Job]) -> None:
        """Write all of it; where one job is at fault, write the others."""
        try:
            if self._outbox.is_behind:
                self._outbox.push()
            admitted = self._admitted(jobs)
            if admitted:
                self._store(admitted)
        except StorageError as error:
            self._note_trouble(str(error))
            self._refuse(jobs, error)
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    if job.error is None:  # else it is refused already, room or not
                        self._commit([job])
                return
            log.exception("a unit cannot be written")
            self._refuse(jobs, UnwritableError(f"a unit cannot be written: {error}"))

    def _admitted(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs there is room for, their kept messages written."""
        admitted = []
        messages = size = 0
        for job in jobs:
            unit = job.unit
            more = sum(len(mail.content) for mail in unit.mails)
            try:
                if unit.mails and not unit.finished:  # else it makes the room it needs
                    self._spool.require_room(messages + len(unit.mails), size + more)
                if unit.kept:
                    self._kept.write(unit.kept)
            except StorageError as error:
                self._note_refusal(error)
                job.error = error
                continue
            admitted.append(job)
            messages += len(unit.mails)
            size += more
        return admitted

    def _store(self, jobs: Sequence[Job]) -> None:
        """One transaction, one flush; then the log lines. Raises `StorageError`."""
        was_stale, self._is_stale = self._is_stale, True
        with self.database.transaction() as connection:
            if was_stale:
                self._spool.count(connection)
                self._outbox.recover(connection)
            lines = self._new_lines(connection, jobs)
            number = self._outbox.add(connection, lines) if lines else 0
            has_mail = self._write_mail(connection, [job.unit for job in jobs])
            struck = self._outbox.strike(connection)
        self._is_stale = False
        self._outbox.struck(struck)
        self._show(number, lines)
        if has_mail:
            self.on_queued()

    def _write_mail(self, connection: sqlite3.Connection, units: Sequence[Unit]) -> bool:
        """What the units say about the queue; whether there is something new in it."""
        mails = [mail for unit in units for mail in unit.mails]
        if mails:
            self._spool.add(connection, mails)
        if finished := [entry for unit in units for entry in unit.finished]:
            self._spool.finish(connection, finished)
        if retries := [retry for unit in units for retry in unit.retries]:
            self._spool.retry(connection, retries)
        return bool(mails)

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

    def _show(self, number: int, lines: bytes) -> None:
        """Append to the sinks. What fails is durable all the same, and waits for them."""
        try:
            if lines:
                self._outbox.append(number, lines)
            self._note_trouble("")
        except StorageError as error:
            self._note_trouble(str(error))

    def _sync(self, *, is_idle: bool, is_last: bool) -> None:
        """Now and then: sinks synced, and what is safe there struck from the outbox."""
        now = time.monotonic()
        if not is_last and now - self._synced < _SYNC:
            return
        self._synced = now
        try:
            if self._outbox.is_behind:
                self._outbox.push()
            if self._outbox.has_unsynced:
                self._outbox.sync()
            if (is_idle or is_last) and self._outbox.has_unsynced:
                with self.database.transaction() as connection:
                    struck = self._outbox.strike(connection)
                self._outbox.struck(struck)
            self._note_trouble("")
        except StorageError as error:
            self._note_trouble(str(error))
        except Exception as error:  # noqa: BLE001 - said by its name; without this thread all mail hangs
            self._note_trouble(f"{type(error).__name__}: {error}")

    def _refuse(self, jobs: Sequence[Job], error: StorageError) -> None:
        for job in jobs:
            if job.error is None:
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


def _nobody() -> None:
    """No delivery to wake: what is queued waits."""

"""The committer as a process sees it that has none: units go to the one that has.

One process writes queue and log, however many take mail: one flush serves them all, and every
limit and key holds for all of them. What it does not confirm was not accepted.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from kumo_handlers import errors
from kumo_handlers.errors import StorageError
from kumo_handlers.queue.line import Line
from kumo_handlers.queue.unit import AwaitedJob, BlockingJob, Job, LoopJob
from kumo_handlers.queue.wire import Answer, Order

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from kumo_handlers.queue.unit import Unit
    from kumo_handlers.queue.wire import Said

_GONE = "the process that writes queue and log is gone"


class RemoteCommitter(Line):
    """``commit``, ``commit_blocking`` and ``submit`` as a `Committer` has them."""

    def __init__(self, on_word: Callable[[bytes], None], on_gone: Callable[[], None]) -> None:
        super().__init__(on_word, on_gone)
        self.on_committed: Callable[[Sequence[Job]], None] = _uncounted
        self._jobs: dict[int, Job] = {}
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    async def open(self, channel: socket.socket) -> None:
        """Talk through this end of a pair of sockets, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        await self._loop.create_connection(lambda: self, sock=channel)

    def commit(self, unit: Unit, answer: Any = None) -> asyncio.Future[Any]:  # noqa: ANN401 - the caller's
        """See `Committer.commit`."""
        job = AwaitedJob(unit, answer)
        self._hand_in(job)
        return job.future

    def commit_blocking(self, unit: Unit) -> None:
        """See `Committer.commit_blocking`."""
        job = BlockingJob(unit)
        self._hand_in_from_anywhere(job)
        job.wait()

    def submit(self, unit: Unit) -> None:
        """See `Committer.submit`."""
        self._hand_in_from_anywhere(Job(unit))

    def hear(self, said: Sequence[Said]) -> None:
        """See `Line`."""
        done = []
        for each in said:
            if isinstance(each, Answer):
                job = self._jobs.pop(each.number)
                job.error = _error(each)
                done.append(job)
        self._settle(done)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`. What was not confirmed is refused."""
        jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            job.error = StorageError(_GONE)
        self._settle(jobs)
        super().connection_lost(exc)

    def _hand_in_from_anywhere(self, job: Job) -> None:
        if self._loop is None:
            raise StorageError(_GONE)
        if threading.get_ident() == self._thread:
            self._hand_in(job)
        else:
            self._loop.call_soon_threadsafe(self._hand_in, job)

    def _hand_in(self, job: Job) -> None:
        if not self.is_open:
            job.error = StorageError(_GONE)
            self._settle([job])
            return
        self._number += 1
        self._jobs[self._number] = job
        self.send(Order.of(self._number, job))

    def _settle(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if isinstance(job, LoopJob | BlockingJob):
                job.settle()
        if jobs:
            self.on_committed(jobs)


def _error(answer: Answer) -> StorageError | None:
    """The error as it was raised over there."""
    if not answer.error:
        return None
    kind = getattr(errors, answer.error, StorageError)
    return kind(answer.text) if issubclass(kind, StorageError) else StorageError(answer.text)


def _uncounted(jobs: Sequence[Job]) -> None:
    """Nobody counts what was committed."""

"""Jobs of one event loop, gathered while it is busy.

What a commit costs apart from its jobs is worth several messages: a flush, and two threads that
wait for the interpreter's lock. As long as the loop goes on reading from clients nothing is lost by
waiting for more of them; as soon as it would sleep, what there is goes on its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from kumo_handlers.queue.unit import Job

LONGEST = 0.001  # seconds that the first waits for others


class Gathering:
    """Used in ``loop`` alone. ``hand_in`` takes what was gathered."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, hand_in: Callable[[list[Job]], None]
    ) -> None:
        self.loop = loop
        self._hand_in = hand_in
        self._jobs: list[Job] = []
        self._seen = 0
        self._until = 0.0

    def add(self, job: Job) -> None:
        """Hand it in soon, with others that come at the same time."""
        self._jobs.append(job)
        if len(self._jobs) == 1:
            self._seen = 0
            self._until = self.loop.time() + LONGEST
            self.loop.call_soon(self._look)

    def _look(self) -> None:
        """The loop has read from all clients that had something to say."""
        jobs = self._jobs
        if len(jobs) > self._seen and self.loop.time() < self._until:
            self._seen = len(jobs)
            self.loop.call_soon(self._look)
            return
        self._jobs = []
        self._hand_in(jobs)

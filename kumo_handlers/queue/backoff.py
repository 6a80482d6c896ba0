"""Destinations that did not answer are left alone for a while, all their mail with them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.queue.schedule import RetrySchedule


class BackOff:
    """Which destinations rest, and until when. Used by several threads."""

    def __init__(self, schedule: RetrySchedule, clock: Callable[[], float] = time.time) -> None:
        self._schedule = schedule
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[int, float, float]] = {}  # how often, when, until when

    def failed(self, destination: str) -> None:
        """Nothing answered. What fails during a rest was begun before it, and prolongs nothing."""
        now = self._clock()
        with self._lock:
            failures, since, until = self._failures.get(destination, (0, 0.0, 0.0))
            if not since <= now < until:
                until = now + self._schedule.delay(failures + 1)
                self._failures[destination] = (failures + 1, now, until)

    def asked(self, destination: str, moment: float) -> None:
        """A person wanted it tried at ``moment``: a rest that was begun before that is over."""
        with self._lock:
            failures, since, until = self._failures.get(destination, (0, 0.0, 0.0))
            if since < moment < until:
                self._failures[destination] = (failures, since, moment)

    def answered(self, destination: str) -> None:
        """It is there again."""
        with self._lock:
            self._failures.pop(destination, None)

    def rests(self, destination: str) -> bool:
        """Whether to leave it alone now."""
        _, since, until = self._failures.get(destination, (0, 0.0, 0.0))
        return since <= self._clock() < until  # a clock that was set back ends a rest

    def resting(self) -> dict[str, float]:
        """The destinations to leave alone now, and until when."""
        now = self._clock()
        with self._lock:
            return {
                name: until
                for name, (_, since, until) in self._failures.items()
                if since <= now < until
            }

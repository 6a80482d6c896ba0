"""When to try again: delays that grow, and differ from one message to the next."""

from __future__ import annotations

import random

import msgspec

_DAY = 86_400.0


class RetrySchedule(msgspec.Struct, frozen=True):
    """Seconds. The first delay, how it grows, its most, and when to give up.

    ``jitter`` is the part by which a delay may be longer or shorter, so that what failed
    together is not tried together. RFC 5321, 4.5.4.1: give up after four days at the earliest.
    """

    first: float = 60.0
    factor: float = 2.0
    most: float = 3600.0
    jitter: float = 0.2
    give_up: float = 5 * _DAY

    def delay(self, failures: int) -> float:
        """How long to wait after this many failures, one at least."""
        exact = min(self.most, self.first * self.factor ** min(failures - 1, 64))
        return exact * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - no secret

    def is_over(self, created: float, moment: float) -> bool:
        """Whether, at ``moment``, mail of that time is not tried any more."""
        return moment - created >= self.give_up


BACK_OFF = RetrySchedule(first=5.0, factor=2.0, most=300.0)
# A disk with room again is used soon, and a full one is not asked without end.
UNWRITTEN = RetrySchedule(first=1.0, factor=2.0, most=30.0)

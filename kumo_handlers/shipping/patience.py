"""How long to wait before a destination is tried again: longer each time, never in step."""

from __future__ import annotations

import random

FIRST = 0.5
MOST = 60.0
MOST_ASKED = 3600.0  # a destination that asks for a day has made a mistake
_SPREAD = 0.2


class Patience:
    """The waits of one destination, in seconds."""

    def __init__(self, first: float = FIRST, most: float = MOST) -> None:
        self._first = first
        self._most = most
        self._wait = first

    def next(self, asked: float | None = None) -> float:
        """The next wait: what the destination ``asked`` for, or twice the one before."""
        wait, self._wait = self._wait, min(self._most, self._wait * 2)
        if asked is not None:
            return max(0.0, min(MOST_ASKED, asked))
        return wait * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - no secret

    def reset(self) -> None:
        """It answered."""
        self._wait = self._first

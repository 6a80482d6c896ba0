"""What goes to the broker and comes from it, counted on the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Traffic:
    """Counts since the start. ``observe`` is told how many seconds each confirmation took."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self.published = 0
        self.unconfirmed = 0
        self.taken = 0
        self.redelivered = 0
        self.repeated = 0
        self.retried = 0
        self.dead = 0

    def confirmed(self, seconds: float) -> None:
        """Count a message that the broker has, and how long it took."""
        self.published += 1
        self._observe(seconds)

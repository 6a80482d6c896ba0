"""Who has something to say in one turn of the event loop is heard at its end, all together.

To send to a client that sleeps takes several times as long as to one that is awake, for the system
has to wake it. Where one program has many connections, a sending MTA or a load balancer, it is
woken once by all that is said in a turn, and not by each reply.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Chorus:
    """Those who wait to speak, in order."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def join(self, speak: Callable[[], None]) -> None:
        """Have ``speak`` called at the end of this turn of the running loop."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._begin)
        self._waiting.append(speak)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        for speak in waiting:
            speak()

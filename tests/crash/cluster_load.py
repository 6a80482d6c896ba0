"""The load of a cluster: complaints too, some reports twice, and clients that come again."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from typing import TYPE_CHECKING

from load import Load, Mail

from kumo_handlers.testing import make_complaint

if TYPE_CHECKING:
    from collections.abc import Sequence

AGAIN = 0.1  # seconds until a client that was broken off comes again
PATIENCE = 60.0


class MixedLoad(Load):
    """Of eight messages one is a complaint, and of ten reports that were accepted one comes twice.

    A sender that saw no reply sends again, and so may one that did: the report is the same.
    """

    def __init__(self, pace: float) -> None:
        super().__init__(pace=pace)
        self.repeated = 0
        self._reports: deque[Mail] = deque(maxlen=1000)

    def _next(self) -> Mail:
        if self._reports and random.random() < 0.03:  # noqa: S311 - no secret
            self.repeated += 1
            return random.choice(self._reports)  # noqa: S311 - no secret
        return super()._next()

    def _make(self, number: int) -> Mail:
        mail = super()._make(number) if number % 8 != 2 else _complaint(f"m{number}")
        if mail.is_report:
            self._reports.append(mail)
        return mail


def _complaint(name: str) -> Mail:
    content = make_complaint(f"{name}@dest.example", original_mail_from=f"{name}@src.example")
    return Mail(name, "complaint", "", (f"{name}@fbl.example",), content)


class Clients:
    """Sessions at each of several ports, in a thread, until told to end."""

    def __init__(self, load: Load, ports: Sequence[int], sessions: int) -> None:
        self._load = load
        self._ports = [port for port in ports for _ in range(sessions)]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    async def _run(self) -> None:
        await asyncio.gather(*map(self._stay, self._ports))

    async def _stay(self, port: int) -> None:
        """One client: broken off or told to come later, it comes again."""
        while not self._load.is_over:
            await self._load.run(port, 1)
            await asyncio.sleep(AGAIN)

    def end(self) -> None:
        """Return when nobody waits for a reply any more."""
        self._load.is_over = True
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise TimeoutError("a client still waits for its reply")

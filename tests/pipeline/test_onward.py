"""What a worker gives back to the broker is not given up, and says when it may be a repeat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import StorageError
from kumo_handlers.pipeline import persistence
from kumo_handlers.pipeline.onward import Onward
from kumo_handlers.queue.schedule import RetrySchedule

if TYPE_CHECKING:
    import pytest


class ForgetfulPublisher:
    """Has stored what it was given each time, and says so the third time only."""

    terms: Any = None

    def __init__(self) -> None:
        self.stored: list[bytes] = []

    async def publish(self, queue: str, body: bytes, name: str) -> None:
        """Store it; perhaps say so."""
        assert (queue, name) == ("relay", "n")
        self.stored.append(body)
        if len(self.stored) < 3:
            raise StorageError("closed the connection")


def test_what_was_not_confirmed_is_sent_again_as_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the broker has it is not known then."""
    monkeypatch.setattr(persistence, "SCHEDULE", RetrySchedule(first=0.001, most=0.001))
    publisher = ForgetfulPublisher()
    onward = Onward(publisher)  # type: ignore[arg-type]
    bodies = {False: b"new", True: b"perhaps known"}
    asyncio.run(onward.send("relay", lambda may_be_known: bodies[may_be_known], "n"))
    assert publisher.stored == [b"new", b"perhaps known", b"perhaps known"]

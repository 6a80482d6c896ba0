"""Jobs of one event loop, gathered while it is busy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.queue import gathering
from kumo_handlers.queue.gathering import Gathering
from kumo_handlers.queue.unit import Job, Unit

if TYPE_CHECKING:
    from collections.abc import Callable


def gather(come: Callable[[Gathering], None]) -> list[int]:
    """How many jobs were handed in each time, where ``come`` adds them."""
    handed_in: list[int] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        come(Gathering(loop, lambda jobs: handed_in.append(len(jobs))))
        await asyncio.sleep(0.05)

    asyncio.run(run())
    return handed_in


def again(gathered: Gathering, times: int) -> None:
    """One job in this turn of the loop, one in each that follows."""
    gathered.add(Job(Unit()))
    if times > 1:
        gathered.loop.call_soon(again, gathered, times - 1)


def test_who_is_alone_does_not_wait() -> None:
    """The loop would sleep now: it goes on its way."""
    assert gather(lambda gathered: again(gathered, 1)) == [1]


@pytest.mark.parametrize("turns", [2, 5])
def test_gathered_while_others_come(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one turn of the loop or in several, they are handed in together."""
    monkeypatch.setattr(gathering, "LONGEST", 5.0)
    assert gather(lambda gathered: again(gathered, turns)) == [turns]


def test_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that is never done keeps nobody waiting."""
    monkeypatch.setattr(gathering, "LONGEST", 0.0)
    handed_in = gather(lambda gathered: again(gathered, 20))
    assert sum(handed_in) == 20
    assert len(handed_in) > 5


def test_the_next_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes later is handed in later."""
    monkeypatch.setattr(gathering, "LONGEST", 5.0)

    def twice(gathered: Gathering) -> None:
        again(gathered, 2)
        gathered.loop.call_later(0.01, again, gathered, 3)

    assert gather(twice) == [2, 3]

"""Who has something to say in one turn of the event loop."""

from __future__ import annotations

import asyncio

from kumo_handlers.smtp.chorus import Chorus


async def test_heard_together_at_the_end_of_the_turn() -> None:
    """In the order in which they joined, and nobody twice."""
    chorus, heard = Chorus(), []
    for name in "ab":
        chorus.join(lambda name=name: heard.append(name))
    assert heard == []
    await asyncio.sleep(0)
    assert heard == ["a", "b"]
    await asyncio.sleep(0)
    assert heard == ["a", "b"]


async def test_who_joins_while_others_speak_is_heard_next() -> None:
    """It is another turn."""
    chorus, heard = Chorus(), []
    chorus.join(lambda: chorus.join(lambda: heard.append("second")))
    await asyncio.sleep(0)
    assert heard == []
    await asyncio.sleep(0)
    assert heard == ["second"]

"""The walls: each file of ``walls`` tries to get over one, and is stopped as its first line says.

After each attempt the same policy answers for the next session as if nothing had been.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError, PolicyError
from kumo_handlers.policy.lua.runtime import EVENT, MAX_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.lua.policy import LuaPolicy

HERE = Path(__file__).parent
WALLS = sorted((HERE / "walls").glob("*.lua"))
FRAME = (HERE / "policies" / "walls_frame.lua").read_text()


@pytest.mark.parametrize("wall", WALLS, ids=lambda path: path.stem)
def test_a_wall(
    wall: Path,
    policy: Callable[..., LuaPolicy],
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The attempt ends as said and where, in time, and the others are not touched."""
    monkeypatch.setenv("KUMO_TEST_SECRET", "shown")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    expected, _, attempt = wall.read_text().removeprefix("-- ").partition("\n")
    said = "|".join(map(re.escape, expected.split(" or ")))
    made = policy(FRAME.replace("--[[attempt]]", attempt))
    for _ in range(2):
        began = time.thread_time()
        if expected == "fine":
            assert made.find("attempt.example", session) is None
        else:
            with pytest.raises(PolicyError, match=f"(?i)({said})") as caught:
                made.find("attempt.example", session)
            assert re.search(r"policy\.lua:\d+: (?!<)", str(caught.value))
        assert time.thread_time() - began < EVENT.seconds * 3
        found = made.find("fine.example", session)
        assert found is not None
        assert found.options.relay_to


def test_where_memory_ran_out(
    policy: Callable[..., LuaPolicy], handler: Callable[[str], LuaPolicy], session: Session
) -> None:
    """Lua does not say where; so it is said where the handler begins, or in which file."""
    filling = "local s = string.rep('x', 200 * 1024 * 1024)"  # at once: it takes no time
    with pytest.raises(PolicyError, match=r"policy\.lua:2: not enough memory"):
        handler(filling).find("example.com", session)
    with pytest.raises(ConfigurationError, match=r"policy\.lua: not enough memory"):
        policy(filling)


def test_memory_is_given_back(handler: Callable[[str], LuaPolicy], session: Session) -> None:
    """What one event filled up the next one has."""
    made = handler("return #string.rep('x', 20 * 1024 * 1024) < 0 or nil")
    for _ in range(8):
        assert made.find("example.com", session) is None
    assert MAX_MEMORY < 8 * 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("while true do end", "runs for too long"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end", "memory"),
    ],
)
def test_a_policy_that_never_loads(
    policy: Callable[..., LuaPolicy], monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    """Loading has its bounds too, wider ones."""
    limits = type(EVENT)(steps=20_000_000, seconds=5.0)
    monkeypatch.setattr("kumo_handlers.policy.lua.loading.LOADING", limits)
    with pytest.raises(ConfigurationError, match=problem):
        policy(text)


def test_time_is_bounded_where_instructions_are_few(
    handler: Callable[[str], LuaPolicy], session: Session
) -> None:
    """Functions of C that take long each are stopped by the clock."""
    body = "local t = ('x'):rep(4000000) for i = 1, 1000000 do local u = t:reverse() end"
    began = time.thread_time()
    with pytest.raises(PolicyError, match="too long"):
        handler(body).find("example.com", session)
    assert time.thread_time() - began < 10

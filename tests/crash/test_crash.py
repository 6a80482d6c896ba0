"""Nothing acknowledged is lost, and nothing is there twice, wherever the app is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.test_account import script

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.timeout(110)
def test_every_point(run: Callable[..., str]) -> None:
    """A crash at each of them, and behind every five one at random; then the books are right."""
    rounds = len(script("points").POINTS) * 6 // 5 + 1
    printed = run("run.py", "--rounds", str(rounds), "--each", "6")
    assert "0 acknowledged, but missing" in printed
    assert "never reached" not in printed, printed


def test_crashes_of_several_processes(run: Callable[..., str]) -> None:
    """A worker or the first process, whichever comes to the point."""
    printed = run("run.py", "--rounds", "8", "--workers", "2")
    assert "0 acknowledged, but missing" in printed

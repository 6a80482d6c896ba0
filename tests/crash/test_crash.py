"""Nothing acknowledged is lost, and nothing is there twice, wherever the app is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.timeout(110)
def test_thirty_crashes_and_every_point(run: Callable[..., str]) -> None:
    """Half of them at the named points, half at random; then the books are right."""
    printed = run("run.py", "--rounds", "46")
    assert "0 acknowledged, but missing" in printed
    assert "never reached" not in printed, printed


def test_crashes_of_several_processes(run: Callable[..., str]) -> None:
    """A worker or the first process, whichever comes to the point."""
    printed = run("run.py", "--rounds", "8", "--workers", "2")
    assert "0 acknowledged, but missing" in printed

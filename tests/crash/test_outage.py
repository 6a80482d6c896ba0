"""Mail goes on while a destination of records is away, and everything reaches it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_away_and_back(run: Callable[..., str]) -> None:
    """For a few seconds; how much mail there is then is measured by ``make shipping``."""
    words = ["--minutes", "0.02", "--pairs", "1", "--window", "0.3", "--least", "0"]
    printed = run("outage.py", *words)
    assert "     all records arrived, first arrivals in order" in printed
    assert "0 acknowledged, but missing" in printed

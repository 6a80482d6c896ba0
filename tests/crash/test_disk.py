"""A full disk and a failing one, under the whole app: refused, resumed, nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.timeout(80)
def test_filled_and_broken(run: Callable[..., str]) -> None:
    """Two faults, and between them a disk that is full, where one may be mounted."""
    printed = run("disk.py", "--rounds", "4")
    assert "       0 acknowledged, but missing" in printed

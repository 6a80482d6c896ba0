"""A full disk and a failing one, under the whole app: refused, resumed, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("disk.py")
ROOT = HARNESS.parents[2]


@pytest.mark.timeout(80)
def test_filled_and_broken() -> None:
    """Two faults, and between them a disk that is full, where one may be mounted."""
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, str(HARNESS), "--rounds", "4"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "       0 acknowledged, but missing" in done.stdout

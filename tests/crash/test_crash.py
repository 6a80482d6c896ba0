"""Nothing acknowledged is lost, and nothing is there twice, wherever the app is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("run.py")
ROOT = HARNESS.parents[2]


def run(*options: str) -> str:
    """What the harness prints; its status says that the books are right."""
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, str(HARNESS), *options],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 acknowledged, but missing" in done.stdout
    return done.stdout


@pytest.mark.timeout(110)
def test_thirty_crashes_and_every_point() -> None:
    """Half of them at the named points, half at random; then the books are right."""
    printed = run("--rounds", "46")
    assert "never reached" not in printed, printed


def test_crashes_of_several_processes() -> None:
    """A worker or the first process, whichever comes to the point."""
    run("--rounds", "8", "--workers", "2")

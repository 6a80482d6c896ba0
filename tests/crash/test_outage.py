"""Mail goes on while a destination of records is away, and everything reaches it afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HARNESS = Path(__file__).with_name("outage.py")
ROOT = HARNESS.parents[2]


def test_away_and_back() -> None:
    """For a few seconds; how much mail there is then is measured by ``make shipping``."""
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    words = ["--minutes", "0.03", "--pairs", "1", "--window", "0.7", "--least", "0"]
    done = subprocess.run(
        [sys.executable, str(HARNESS), *words],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "     all records arrived, first arrivals in order" in done.stdout
    assert "0 acknowledged, but missing" in done.stdout

"""``make demo`` keeps its promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_demo() -> None:
    """All is as the rules say, and the table shows it."""
    done = subprocess.run(
        [sys.executable, "-m", "app.demo"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all as the rules say" in done.stdout
    for record in ("Reception, Delivery", "Rejection", "OOB", "Feedback"):
        assert record in done.stdout

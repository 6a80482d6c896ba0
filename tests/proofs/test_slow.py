"""Slow clients harm nobody: a short run; a long one is ``python tests/proofs/slow.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_slow_clients() -> None:
    """Two hundred that trickle, and fifty letters meanwhile."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("slow.py")), "--clients=200", "--letters=50"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

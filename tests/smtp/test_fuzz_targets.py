"""The fuzz targets of the listener run, and find nothing in a second."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("target", ["smtp_core", "smtp_proxy", "smtp_auth"])
def test_target(target: str) -> None:
    """A short run; a long one is started by hand."""
    # our own scripts, in a process of their own because they mind signals
    done = subprocess.run(
        [sys.executable, str(ROOT / "fuzz" / f"{target}.py"), "-seconds=1"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

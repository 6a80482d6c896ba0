"""What the tests of the crash harness share: a script of it, run to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


@pytest.fixture
def run() -> Callable[..., str]:
    """What a script prints, with these options; its status says that its books are right."""

    def run(script: str, *options: str) -> str:
        path = os.pathsep.join((str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")))
        done = subprocess.run(
            [sys.executable, str(HERE / script), *options],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run

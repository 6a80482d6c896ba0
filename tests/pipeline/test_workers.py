"""The threads of an app's handlers: so many, made when needed, and none that holds up the end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kumo_handlers.pipeline.workers import Workers

ROOT = Path(__file__).parent.parent.parent


def test_answers_and_errors() -> None:
    """What a call returns or raises is its future's."""
    workers = Workers(2)
    assert workers.submit(divmod, 7, 2).result(5) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 7, 0).result(5)
    with pytest.raises(SystemExit):
        workers.submit(sys.exit, 3).result(5)
    assert workers.submit(divmod, 7, 2).result(5) == (3, 1)
    workers.shutdown()


def test_so_many_at_once() -> None:
    """Three at a time, one after the other behind them, and idle threads are used again."""
    workers, gate, most, running = Workers(3), threading.Lock(), [0], [0]

    def work() -> None:
        with gate:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with gate:
            running[0] -= 1

    for future in [workers.submit(work) for _ in range(9)]:
        future.result(5)
    assert most == [3]
    workers.shutdown()


def test_after_the_end() -> None:
    """No more work is taken."""
    workers = Workers(1)
    workers.shutdown()
    with pytest.raises(RuntimeError):
        workers.submit(print)


def test_a_call_that_never_returns_does_not_hold_up_python() -> None:
    """The process ends."""
    code = (
        "import time; from kumo_handlers.pipeline.workers import Workers\n"
        "Workers(1).submit(time.sleep, 60); time.sleep(0.2); print('the end')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=20, check=True
    )
    assert done.stdout == b"the end\n"

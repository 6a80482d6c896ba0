"""A run folder, the relay of the crash test, and the lives of the app between them."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import click
from account import Account
from child import Round, settings
from load import Load

PATIENCE = 30.0  # seconds without a delivery
RELAY = Path(__file__).parent / "book.py"


class Bench:
    """Everything but the rounds."""

    def __init__(self, folder: Path, segment_size: int, workers: int = 1) -> None:
        self._run_dir = folder / "run"
        self._run_dir.mkdir(exist_ok=True)
        self._book = folder / "relayed"
        self._relay = subprocess.Popen(
            [sys.executable, str(RELAY), str(self._book)], stdout=subprocess.PIPE
        )
        assert self._relay.stdout is not None
        relay_port = int(self._relay.stdout.readline())
        self._app = settings(self._run_dir, relay_port, segment_size, workers)
        self.load = Load()

    def live(self, crash: tuple[str, int] | None = None) -> Round:
        """A new life of the app, which may be told where to end."""
        return Round(self._run_dir, self._app, crash)

    def account(self, life: Round | None = None) -> Account:
        """A life without a crash delivers what is left and is stopped; then the books."""
        life = life or self.live()
        self._drain()
        life.stop()
        if status := life.end():
            raise click.ClickException(f"the last run ended with {status}")
        self._relay.terminate()
        self._relay.wait()
        relayed = Counter(self._book.read_text().split())
        return Account(self._run_dir, self.load, relayed)

    def _drain(self) -> None:
        """Wait as long as it becomes less."""
        path = self._run_dir / "queue" / "spool.sqlite3"
        least, end = math.inf, 0.0
        while least == math.inf or time.monotonic() < end:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as queue:
                [(left,)] = queue.execute("SELECT COUNT(*) FROM message")
            if not left:
                return
            if left < least:
                least, end = left, time.monotonic() + PATIENCE
            time.sleep(0.05)
        raise click.ClickException(f"{left} messages are still in the queue")

    def close(self) -> None:
        """Leave nothing running."""
        self._relay.kill()
        self._relay.wait()

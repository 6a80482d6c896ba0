"""Load, a crash, a restart; again and again; and then the account.

    python tests/crash/run.py --rounds 1000

Half of the rounds end at a named point, each point in its turn, half at a random moment. All of
them use one run folder, so that each start has the last crash to mend. The exit status is 0 only
if nothing acknowledged is missing, nothing is there twice, and every point was reached.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import click
from account import Account
from child import Round
from load import Load
from points import POINTS

RELAY = Path(__file__).parent / "book.py"


class Harness:
    """The rounds, on one run folder and one relay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run_dir = folder / "run"
        self._run_dir.mkdir()
        self._book = folder / "relayed"
        self._relay = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, str(RELAY), str(self._book)], stdout=subprocess.PIPE
        )
        assert self._relay.stdout is not None
        self._relay_port = int(self._relay.stdout.readline())
        self._points = itertools.cycle(POINTS)
        self.load = Load()
        self.reached: Counter[str] = Counter()
        self.tried: Counter[str] = Counter()

    def crash_at_point(self) -> None:
        """One round that ends at the next point, or after a second where it is not reached."""
        point = next(self._points)
        nth = random.choice((1, 1, 2, 5, 20)) if "start" not in point else 1  # noqa: S311 - no secret
        self.tried[point] += 1
        life = Round(self._run_dir, self._relay_port, (point, nth))
        self._load(life, 1.5)
        life.kill()
        self.reached[point] += life.end() == -signal.SIGKILL

    def crash_at_random(self) -> None:
        """One round that ends at any moment."""
        life = Round(self._run_dir, self._relay_port, None)
        self._load(life, random.uniform(0.0, 0.25))  # noqa: S311 - no secret
        life.kill()
        life.end()

    def _load(self, life: Round, seconds: float) -> None:
        async def until_it_dies() -> None:
            loading = asyncio.ensure_future(self.load.run(life.port))
            await asyncio.wait({loading}, timeout=seconds)
            life.kill()
            await loading

        if life.port:
            asyncio.run(until_it_dies())

    def account(self) -> Account:
        """A last life, without a crash, that delivers what is left; then the books."""
        life = Round(self._run_dir, self._relay_port, None)
        self._drain()
        life.stop()
        if status := life.end():
            raise click.ClickException(f"the last run ended with {status}")
        self._relay.terminate()
        self._relay.wait()
        relayed = Counter(self._book.read_text().split())
        return Account(self._run_dir, self.load, relayed)

    def _drain(self) -> None:
        path = self._run_dir / "queue" / "spool.sqlite3"
        for _ in range(600):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as queue:
                [(left,)] = queue.execute("SELECT COUNT(*) FROM message")
            if not left:
                return
            time.sleep(0.05)
        raise click.ClickException(f"{left} messages are still in the queue")

    def close(self) -> None:
        """Leave nothing running."""
        self._relay.kill()
        self._relay.wait()


@click.command()
@click.option("--rounds", default=1000, show_default=True, help="How many crashes.")
@click.option("--seed", type=int, help="To have the same random choices again.")
def main(rounds: int, seed: int | None) -> None:
    """Crash, restart, and account for every message."""
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    harness = Harness(folder)
    try:
        begun = time.monotonic()
        for number in range(rounds):
            (harness.crash_at_random if number % 2 else harness.crash_at_point)()
        account = harness.account()
    finally:
        harness.close()
    click.echo(f"{rounds:8} crashes in {time.monotonic() - begun:.0f} s")
    for name, figure in account.figures().items():
        click.echo(f"{figure:8} {name}")
    never = [point for point in POINTS if harness.tried[point] and not harness.reached[point]]
    for point in never:
        click.echo(f"         never reached: {point}")
    if any(account.faults().values()):
        raise click.ClickException(f"see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

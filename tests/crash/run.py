"""Load, a crash, a restart; again and again; and then the account.

    python tests/crash/run.py --rounds 1000

Half of the rounds end at a named point, each point in its turn, half at a random moment, unless
``--each`` says otherwise. All of them use one run folder, so that each start has the last crash to
mend. The exit status is 0 only if nothing acknowledged is missing, and nothing is there twice.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from bench import Bench
from points import POINTS

if TYPE_CHECKING:
    from child import Round


class Rounds:
    """The crashes, and how often each point was tried and reached."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._points = itertools.cycle(POINTS)
        self.tried: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()

    def crash_at_point(self) -> None:
        """One round that ends at the next point, or after a second where it is not reached."""
        point = next(self._points)
        nth = random.choice((1, 1, 2, 5, 20)) if "start" not in point else 1  # noqa: S311 - no secret
        self.tried[point] += 1
        life = self._bench.live((point, nth))
        self._load(life, 1.5)
        life.kill()
        self.reached[point] += life.end() == -signal.SIGKILL

    def crash_at_random(self) -> None:
        """One round that ends at any moment."""
        life = self._bench.live()
        self._load(life, random.uniform(0.0, 0.25))  # noqa: S311 - no secret
        life.kill()
        life.end()

    def _load(self, life: Round, seconds: float) -> None:
        async def until_it_dies() -> None:
            loading = asyncio.ensure_future(self._bench.load.run(life.port))
            await asyncio.wait({loading}, timeout=seconds)
            life.kill()
            await loading

        if life.port:
            asyncio.run(until_it_dies())


@click.command()
@click.option("--rounds", default=1000, show_default=True, help="How many crashes.")
@click.option("--each", default=2, show_default=True, help="Each so many is at a random moment.")
@click.option("--workers", default=1, show_default=True, help="How many processes listen.")
@click.option("--seed", type=int, help="To have the same random choices again.")
def main(rounds: int, each: int, workers: int, seed: int | None) -> None:
    """Crash, restart, and account for every message."""
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    bench = Bench(folder, segment_size=40_000, workers=workers)
    lives = Rounds(bench)
    try:
        begun = time.monotonic()
        for number in range(rounds):
            is_random = number % each == each - 1
            (lives.crash_at_random if is_random else lives.crash_at_point)()
        account = bench.account()
    finally:
        bench.close()
    click.echo(f"{rounds:8} crashes in {time.monotonic() - begun:.0f} s")
    for name, figure in account.figures().items():
        click.echo(f"{figure:8} {name}")
    never = [point for point in POINTS if not lives.reached[point]]
    for point in never:
        click.echo(f"         never reached: {point}")
    if any(account.faults().values()):
        raise click.ClickException(f"see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

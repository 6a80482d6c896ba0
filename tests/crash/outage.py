"""A destination of records that is down while mail comes in, and then back.

    python tests/crash/outage.py --minutes 10

The app runs as fast as it can. First the destination is up and down by turns, so that both are
measured on the same machine in the same mood; then it is down for long; then it is back. The exit
status is 0 only if mail went on at 95 % of its rate at least while it was down, if everything in
the log arrived, each record first where it belongs, and if every message is accounted for.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from bench import Bench

from kumo_handlers.journal.segment import segments
from kumo_handlers.shipping import fleet, lag, shipment

SESSIONS = 10
NAME = "hook"
HOOK = Path(__file__).parent / "hook.py"


class Destination:
    """The webhook, which can be taken away and put back where it was."""

    def __init__(self, book: Path) -> None:
        self._book = book
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Have it there."""
        self._child = subprocess.Popen(
            [sys.executable, str(HOOK), str(self._book), str(self._port)], stdout=subprocess.PIPE
        )
        assert self._child.stdout is not None
        with self._child.stdout as said:
            self._port = int(said.readline())

    def kill(self) -> None:
        """Have it gone."""
        self._child.kill()
        self._child.wait()

    def arrived(self) -> list[bytes]:
        """Each line, where it arrived first; one that was cut by a kill was not confirmed."""
        lines = self._book.read_bytes().split(b"\n")
        return list(dict.fromkeys(lines[:-1]))


class Rates:
    """Messages a second, while the destination is up and while it is down."""

    def __init__(self, bench: Bench, destination: Destination) -> None:
        self._load = bench.load
        self._destination = destination
        self.up: list[float] = []
        self.down: list[float] = []
        self.outage = 0.0

    async def by_turns(self, pairs: int, window: float) -> None:
        """Up, down; up, down."""
        for _ in range(pairs):
            self.up.append(await self._rate(window))
            self._destination.kill()
            self.down.append(await self._rate(window))
            await asyncio.to_thread(self._destination.start)
            await asyncio.sleep(window / 2)  # what piled up goes its way

    async def long_outage(self, seconds: float) -> None:
        """Down, for so long."""
        self._destination.kill()
        self.outage = await self._rate(seconds)
        await asyncio.to_thread(self._destination.start)

    async def _rate(self, seconds: float) -> float:
        before, begun = len(self._load.acknowledged), time.monotonic()
        await asyncio.sleep(seconds)
        return (len(self._load.acknowledged) - before) / (time.monotonic() - begun)

    @property
    def ratio(self) -> float:
        """Down to up."""
        return sum(self.down) / sum(self.up)


async def run(bench: Bench, port: int, rates: Rates, turns: tuple[int, float, float]) -> None:
    """The load, and meanwhile the turns: pairs, seconds of each, seconds of the outage."""
    pairs, window, outage = turns
    sending = asyncio.ensure_future(bench.load.run_on(port, SESSIONS))
    await asyncio.sleep(window)  # it is warm then
    await rates.by_turns(pairs, window)
    await rates.long_outage(outage)
    bench.load.is_over = True
    await sending


def catch_up(run_dir: Path) -> float:
    """Wait until nothing is behind; the answer is how long that took."""
    begun = time.monotonic()
    while lag.of(run_dir, NAME, time.time()).size:
        if time.monotonic() - begun > 600:
            raise click.ClickException("it does not catch up")
        time.sleep(0.1)
    return time.monotonic() - begun


def logged(run_dir: Path) -> list[bytes]:
    """Every line of the log."""
    return [line for path in segments(run_dir / "log") for line in path.read_bytes().splitlines()]


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="The outage at the end.")
@click.option("--pairs", default=6, show_default=True, help="How often up and down, before.")
@click.option("--window", default=3.0, show_default=True, help="Seconds up, and down.")
@click.option("--least", default=0.95, show_default=True, help="The rate while it is down.")
def main(minutes: float, pairs: int, window: float, least: float) -> None:
    """Take the destination away under load; nothing may wait for it, or be missing."""
    folder = Path(tempfile.mkdtemp(prefix="outage-"))
    destination = Destination(folder / "arrived")
    bench = Bench(folder, segment_size=4 << 20)
    rates = Rates(bench, destination)
    try:
        entry = {"url": destination.url, "name": NAME}
        bench._app.ship = [entry]
        life = bench.live()
        asyncio.run(run(bench, life.port, rates, (pairs, window, minutes * 60)))
        behind = lag.of(bench._run_dir, NAME, time.time())
        seconds = catch_up(bench._run_dir)
        account = bench.account(life)
        # the last records were logged while it stopped
        asyncio.run(fleet.ship(bench._run_dir, shipment.read(entry), drain=True))
        in_order = destination.arrived() == logged(bench._run_dir)
    finally:
        bench.close()
        destination.kill()
    click.echo(f"{sum(rates.up) / len(rates.up):8.0f} messages a second while it is up")
    click.echo(f"{sum(rates.down) / len(rates.down):8.0f} while it is down: {rates.ratio:.1%}")
    click.echo(f"{rates.outage:8.0f} in {minutes:g} minutes without it")
    click.echo(f"{behind.records:8} records behind then, shipped in {seconds:.1f} s")
    for name, figure in account.figures().items():
        click.echo(f"{figure:8} {name}")
    click.echo(f"{'all' if in_order else 'NOT all':>8} records arrived, first arrivals in order")
    if any(account.faults().values()) or not in_order or rates.ratio < least:
        raise click.ClickException(f"see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

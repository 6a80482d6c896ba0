"""Half the load there could be, for a long time: memory, descriptors, and every message.

    python tests/crash/soak.py --minutes 30

First the app runs as fast as it can, for a moment, to learn what half of that is; that also warms
it up. Then memory is looked at each second. The exit status is 0 only if it grew by less than 2 %
from the second tenth of the time to the last, descriptors stayed as they were, and every message
is accounted for.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

import click
from bench import Bench

SESSIONS = 10
PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_GROWTH = 0.02


class Gauge:
    """What a process has, looked at each second."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self.memory: list[int] = []
        self.descriptors: list[int] = []

    async def watch(self, seconds: float) -> None:
        """Look, for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(1)
            self.memory.append(int((self._folder / "statm").read_text().split()[1]) * PAGE)
            self.descriptors.append(len(list((self._folder / "fd").iterdir())))

    def growth(self, figures: list[int]) -> float:
        """From the second tenth to the last, as a part of the first of them."""
        tenth = max(1, len(figures) // 10)
        before = median(figures[tenth : 2 * tenth] or figures)
        return median(figures[-tenth:]) / before - 1


async def soak(bench: Bench, port: int, gauge: Gauge, seconds: float) -> float:
    """Send; the answer is the rate, in messages a second."""
    load = bench.load
    burst = min(10.0, seconds / 4)
    sending = asyncio.ensure_future(load.run_on(port, SESSIONS))  # of 10,000 messages each
    await asyncio.sleep(burst)
    rate = len(load.acknowledged) / burst / 2
    load.pace = SESSIONS / rate
    await gauge.watch(seconds - burst)
    load.is_over = True
    await sending
    return rate


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long.")
def main(minutes: float) -> None:
    """Run for long, and see that nothing grows and nothing is lost."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    bench = Bench(folder, segment_size=16 << 20)
    try:
        life = bench.live()
        gauge = Gauge(life.pid)
        rate = asyncio.run(soak(bench, life.port, gauge, minutes * 60))
        account = bench.account(life)
    finally:
        bench.close()
    memory, descriptors = gauge.growth(gauge.memory), gauge.growth(gauge.descriptors)
    click.echo(
        f"{rate:8.0f} messages a second at most, half of what it can do, {minutes:g} minutes"
    )
    click.echo(f"{gauge.memory[-1] / 2**20:8.1f} MiB of memory, {memory:+.2%}")
    least, most = min(gauge.descriptors), max(gauge.descriptors)
    click.echo(f"{gauge.descriptors[-1]:8} descriptors, {descriptors:+.2%}, {least} to {most}")
    for name, figure in account.figures().items():
        click.echo(f"{figure:8} {name}")
    if any(account.faults().values()) or memory > MOST_GROWTH or descriptors > MOST_GROWTH:
        raise click.ClickException(f"see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""A disk that is full, or fails: refused while it lasts, resumed without a start, nothing lost.

    python tests/crash/disk.py --rounds 20

Each round is a life of the app under load. In half of them the small disk that holds its run
folder is filled up and has room again; in the others a step of writing fails ten times. Then the
app has to take mail again by itself, and is killed. The exit status is 0 only if it refused, and
resumed, in each round, and the books are right in the end.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from bench import Bench
from points import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from child import Round

# MB that a round may leave behind on a fast machine: what fills up for good starts no more.
ROOM = 12
PATIENCE = 10.0
# What the database makes durable holds up nobody: the log may be flushed later.
SILENT = ("a flush of the log",)
MOUNT, UMOUNT = shutil.which("mount"), shutil.which("umount")


class Rounds:
    """The lives, and how many of them did not refuse, or did not resume."""

    def __init__(self, bench: Bench, run_dir: Path) -> None:
        self._bench = bench
        self._ballast = run_dir / "ballast"
        self._faults = itertools.cycle(FAULTS)
        self.never_refused: list[str] = []
        self.never_resumed: list[str] = []

    def full(self) -> None:
        """The disk is full for a while."""
        life = self._bench.live()
        self._load(life, 0.3)
        self._fill()
        self._expect(life, "full disk", after=self._ballast.unlink)

    def failing(self) -> None:
        """One step fails, some time after the start."""
        fault = next(self._faults)
        life = self._bench.live((fault, random.randint(3, 9)))  # noqa: S311 - no secret
        self._expect(life, fault)

    def _expect(self, life: Round, what: str, after: Callable[[], None] | None = None) -> None:
        """Refusals; then acknowledgements again, in the same life; then the kill."""
        load = self._bench.load
        refused = load.refused.total()
        if what in SILENT:
            self._load(life, 0.6)
        elif not self._until(life, lambda: load.refused.total() > refused):
            self.never_refused.append(what)
        if after is not None:
            after()
        self._load(life, 0.2)
        acknowledged = len(load.acknowledged)
        if not self._until(life, lambda: len(load.acknowledged) > acknowledged + 20):
            self.never_resumed.append(what)
        life.kill()
        life.end()

    def _until(self, life: Round, holds: Callable[[], bool]) -> bool:
        end = time.monotonic() + PATIENCE
        while not holds() and time.monotonic() < end:
            self._load(life, 0.2)
        return holds()

    def _load(self, life: Round, seconds: float) -> None:
        """Mail for so long; a session ends when its message is refused."""
        load = self._bench.load

        async def send() -> None:
            load.is_over = False
            loading = asyncio.ensure_future(load.run(life.port))
            await asyncio.wait({loading}, timeout=seconds)
            load.is_over = True
            await loading

        asyncio.run(send())

    def _fill(self) -> None:
        """To the last byte."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise


def mount(run_dir: Path, size: int) -> bool:
    """A disk of so many MB, where we may have one."""
    run_dir.mkdir()
    if MOUNT is None or UMOUNT is None:
        return False
    words = [MOUNT, "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(run_dir)]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


@click.command()
@click.option("--rounds", default=20, show_default=True, help="How many lives.")
def main(rounds: int) -> None:
    """Fill and break the disk, and account for every message."""
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    run_dir = folder / "run"
    is_small = mount(run_dir, ROOM * (rounds + 3))
    bench = Bench(folder, segment_size=40_000)
    lives = Rounds(bench, run_dir)
    try:
        for number in range(rounds):
            (lives.full if is_small and number % 2 else lives.failing)()
        account = bench.account()
        figures, faults = account.figures(), account.faults()
    finally:
        bench.close()
        if is_small:
            subprocess.run([str(UMOUNT), "-l", str(run_dir)], check=False)
    if not is_small:
        click.echo("         no permission to mount a small disk: it was never full")
    for code, count in sorted(bench.load.refused.items()):
        click.echo(f"{count:8} refused with {code}")
    for name, figure in figures.items():
        click.echo(f"{figure:8} {name}")
    for name, which in (("refused", lives.never_refused), ("resumed", lives.never_resumed)):
        click.echo(f"{len(which):8} rounds that never {name} {', '.join(which)}".rstrip())
    shutil.rmtree(folder)
    if any(faults.values()) or lives.never_refused or lives.never_resumed:
        raise click.ClickException("the disk was not survived")


if __name__ == "__main__":
    main()

"""Messages a second: real connections on loopback, interleaved rounds, ratios to the first."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.competitors import COMPETITORS, MissingError
from benchmarks.load import Load, Measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROUNDS = 5
ALL = tuple(COMPETITORS)
FEW = ("ours, durable", "ours, not durable", "aiosmtpd, empty handler", "smtp-sink (C), discarding")
STALLING = ("Salmon, as shipped", "Salmon, backlog and Nagle mended", "Haraka, discarding")


def main() -> None:
    """Print the tables of 20 sessions, one command at a time."""
    compare("2 kB mail to relay, 20 sessions", Load(0), ALL)
    compare("bounces, logged and dropped, 20 sessions", Load(0, bounces=True), FEW)


def sessions() -> None:
    """Print the tables of other clients."""
    compare("the same mail, pipelined", Load(0, pipelined=True), (*FEW, *STALLING))
    compare("one connection a message", Load(0, persistent=False), (*FEW, *STALLING[1:]))
    compare("one session", Load(0, sessions=1), FEW)
    compare("200 sessions", Load(0, sessions=200), FEW)


def compare(title: str, load: Load, names: Iterable[str], rounds: int = ROUNDS) -> None:
    """Each server in each round, one after the other."""
    measured = measure(load, names, rounds)
    table = Table("server", "messages/s", "times the first", "p50, ms", "p99, ms", "hung")
    table.title, table.title_justify = title, "left"
    first = median(each.rate for each in next(iter(measured.values())))
    for name, each in measured.items():
        rate = median(round_.rate for round_ in each)
        numbers = [f"{median(getattr(r, key) for r in each):.1f}" for key in ("p50", "p99")]
        hung = f"{max(round_.hung for round_ in each)}"
        table.add_row(name, f"{rate:,.0f}", f"{rate / first:.2f}", *numbers, hung)
    Console(width=110).print(table)


def measure(load: Load, names: Iterable[str], rounds: int = ROUNDS) -> Mapping[str, list[Measured]]:
    """What each of `COMPETITORS` named does with ``load``; those that are missing are named."""
    with ExitStack() as stack:
        ports = {}
        for name in names:
            try:
                ports[name] = stack.enter_context(COMPETITORS[name]())
            except MissingError as error:
                print(f"{name}: left out ({error})")
        results: dict[str, list[Measured]] = {name: [] for name in ports}
        for _ in range(rounds):
            for name, port in ports.items():
                results[name].append(put(msgspec.structs.replace(load, port=port)))
    return results


def put(load: Load) -> Measured:
    """One load, put on by a process of its own."""
    asked = msgspec.json.encode(load).decode()
    command = [sys.executable, "-m", "benchmarks.load", asked]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - ours
    return msgspec.json.decode(done.stdout, type=Measured)

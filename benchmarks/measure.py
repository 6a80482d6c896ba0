"""Medians of interleaved rounds, and the ratio to the first case: a machine's speed drifts."""

from __future__ import annotations

import gc
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROUNDS = 9
LEAST = 0.02  # seconds that a round of one case takes at least


class Measured(NamedTuple):
    """One case: seconds a call, the median of all rounds."""

    name: str
    seconds: float


def measure(cases: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> list[Measured]:
    """Time each case in each round, one after the other."""
    counts = {name: _count(case) for name, case in cases.items()}
    times: dict[str, list[float]] = {name: [] for name in cases}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, case in cases.items():
                times[name].append(_time(case, counts[name]))
    finally:
        gc.enable()
    return [Measured(name, median(each)) for name, each in times.items()]


def _count(case: Callable[[], object]) -> int:
    """How many calls take long enough to be timed, after one that makes what is made once."""
    case()
    count = 1
    while (seconds := _time(case, count) * count) < LEAST:
        count = max(count * 2, int(count * LEAST / max(seconds, 1e-9)))
    return count


def _time(case: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        case()
    return (time.perf_counter() - start) / count


def show(title: str, measured: list[Measured]) -> None:
    """A table; the last column is how many times the first case's cost each one is."""
    table = Table("case", "µs", "ratio", title=title, title_justify="left")
    first = measured[0].seconds
    for each in measured:
        table.add_row(each.name, f"{each.seconds * 1e6:,.2f}", f"{each.seconds / first:,.2f}")
    Console(width=110).print(table)

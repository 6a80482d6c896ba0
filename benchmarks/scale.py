"""A million domains: what they cost to load, to keep and to ask."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.limits import resident
from benchmarks.lookup import (
    asking,
    domains,
    finding,
    found_by_policy,
    naive_router,
    our_router,
    recipients,
)
from benchmarks.measure import measure, show
from benchmarks.plot import Points, draw
from benchmarks.servers import million_domains
from kumo_handlers.policy import tables

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
MOST_ROUTES = 100_000
PLOT = Path(__file__).parent.parent / "docs" / "performance.svg"
_ROUNDS = 3


def main() -> None:
    """Print the tables, and draw cost against size."""
    loading()
    worst()
    plot()


def loading() -> None:
    """A million in a file beside ten, each in a process of its own."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as few:
        few.writelines(f'["d{number}.example"]\nlog_oob = true\n\n' for number in range(10))
        few.flush()
        ten = [_load(few.name) for _ in range(_ROUNDS)]
        million = [_load(str(million_domains())) for _ in range(_ROUNDS)]
    table = Table("domains", "loaded, s", "memory, MB", "longest collection afterwards, ms")
    for name, each in (("10", ten), ("1,000,000", million)):
        figures = [median(one[key] for one in each) for key in ("seconds", "memory", "pause")]
        table.add_row(name, *(f"{figure:,.2f}" for figure in figures))
    Console(width=110).print(table)


def _load(path: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale", path]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - ours
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def load_here(path: str) -> dict[str, float]:
    """Load one file in this process; what it took, and what collections take from then on."""
    start = time.perf_counter()
    policy = tables.load([path])
    seconds = time.perf_counter() - start
    pauses: list[float] = []

    def note(phase: str, _: dict[str, int]) -> None:
        pauses.append((1 if phase == "stop" else -1) * time.perf_counter() * 1e3)

    gc.callbacks.append(note)
    for _ in range(3):
        gc.collect()
    gc.callbacks.remove(note)
    longest = max(map(sum, zip(pauses[::2], pauses[1::2], strict=True)))
    del policy
    return {"seconds": seconds, "memory": resident_here(), "pause": longest}


def resident_here() -> float:
    """What the process itself has, in MB."""
    return resident("self") / 1024


def worst() -> None:
    """Names and tables made to be slow, beside an ordinary miss."""
    ordinary = domains(100_000)
    deep = ordinary | {f"*.{'a.' * 30}example": {"log_oob": True}}
    every_depth = {f"*.{'a.' * n}b": {"log_oob": True} for n in range(1, 120)}
    labels = "x." * 126 + "b"
    long = ".".join(["a" * 63] * 3 + ["b" * 63])
    cases = {
        "an ordinary miss": (ordinary, "mail.far.example"),
        "127 labels": (ordinary, labels),
        "255 bytes in four labels": (ordinary, long),
        "127 labels, one wildcard of 31": (deep, labels),
        "127 labels, a wildcard at each depth": (every_depth, labels),
        "the same, and a name that fits them all": (every_depth, "a." * 126 + "b"),
    }
    asked = {name: asking(tables.load([table]), [host]) for name, (table, host) in cases.items()}
    show("worst cases of a look-up", measure(asked))


def plot() -> None:
    """Draw what routes and a look-up cost, from ten domains to a million."""
    cases: dict[str, Callable[[], object]] = {}
    for count in SIZES:
        policy = tables.load([domains(count)])
        to = recipients(count)
        if count <= MOST_ROUTES:
            cases[f"one @route a domain/{count}"] = finding(naive_router(count), to)
        cases[f"our five routes/{count}"] = found_by_policy(our_router(), to, policy)
        names = [each.partition("@")[2] for each in to]
        cases[f"a look-up, found/{count}"] = asking(policy, names)
        cases[f"a look-up, nothing/{count}"] = asking(policy, [f"x.{name}" for name in names])
    lines: dict[str, Points] = {}
    for each in measure(cases):
        name, _, count = each.name.partition("/")
        lines.setdefault(name, []).append((int(count), each.seconds * 1e6))
    PLOT.write_text(draw(lines, "domains", "µs for a recipient"))
    table = Table("µs", *(f"{count:,}" for count in SIZES))
    for name, points in lines.items():
        table.add_row(name, *(f"{cost:,.2f}" for _, cost in points))
    Console(width=110).print(table)


if __name__ == "__main__":
    print(json.dumps(load_here(sys.argv[1])))

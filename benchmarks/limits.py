"""What is no throughput: greetings in a crowd, handlers that block, starting, memory."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.blocking import SECONDS
from benchmarks.competitors import Running, free_port, running, wait_for
from benchmarks.load import Load
from benchmarks.servers import BLOCKING_THREADS, million_domains
from benchmarks.smtp import put

if TYPE_CHECKING:
    from collections.abc import Sequence

CROWD, IDLE, SESSIONS = 200, 5_000, 100
_PATIENCE = 10.0


def main() -> None:
    """Print the table."""
    table = Table("what", "measured", "goal", title="limits", title_justify="left")
    for rows in (crowd(), blocking(), starting(), memory()):
        for row in rows:
            table.add_row(*row)
    Console(width=110).print(table)


def server(name: str) -> contextlib.AbstractContextManager[Running]:
    """One of `servers.SERVERS`."""
    return running(lambda port: [sys.executable, "-m", "benchmarks.servers", name, str(port)])


def crowd() -> list[Sequence[str]]:
    """Everybody connects at once: how long until each is greeted."""
    rows = []
    for name, goal in (("ours, durable", "none hangs; < 100 ms"), ("Salmon, as shipped", "")):
        with server(name) as at:
            waits = [wait for _ in range(5) for wait in asyncio.run(greetings(at.port, CROWD))]
        greeted = [wait for wait in waits if wait is not None]
        hung = len(waits) - len(greeted)
        cuts = quantiles(greeted, n=100)
        measured = f"{hung} of {len(waits)} hung; p50 {cuts[49]:.0f}, p99 {cuts[98]:.0f} ms"
        rows.append((f"{CROWD} connect at once, {name}", measured, goal))
    return rows


async def greetings(port: int, count: int) -> list[float | None]:
    """Milliseconds until each of ``count`` clients has its greeting; None for whom none came."""

    async def one() -> float | None:
        start = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                line = await reader.readline()
                waited = (time.perf_counter() - start) * 1e3
                writer.close()
        except (OSError, TimeoutError):
            return None
        return waited if line.startswith(b"220") else None

    return await asyncio.gather(*(one() for _ in range(count)))


def blocking() -> list[Sequence[str]]:
    """A handler that blocks, and more sessions than threads: who connects is greeted still."""
    ideal = BLOCKING_THREADS / SECONDS
    with server("ours, a handler that blocks") as at:
        load = Load(at.port, sessions=SESSIONS, seconds=3)
        waits: list[float] = []
        rates = []
        for _ in range(3):
            rate, waited = asyncio.run(_greeted_meanwhile(load))
            rates.append(rate)
            waits += waited
    rate = median(rates)
    what = f"{SESSIONS} sessions, a handler that blocks {SECONDS * 1e3:.0f} ms"
    return [
        (what, f"{rate:,.0f}/s, {rate / ideal:.2f} of {ideal:,.0f}", "0.8"),
        ("a greeting meanwhile", f"p99 {quantiles(waits, n=100)[98]:.0f} ms", "< 50 ms"),
    ]


async def _greeted_meanwhile(load: Load) -> tuple[float, list[float]]:
    waits: list[float] = []
    putting = asyncio.create_task(asyncio.to_thread(put, load))
    await asyncio.sleep(1)
    while not putting.done():
        [wait] = await greetings(load.port, 1)
        waits.append(_PATIENCE * 1e3 if wait is None else wait)
        await asyncio.sleep(0.02)
    return (await putting).rate, waits[:-20]


def starting() -> list[Sequence[str]]:
    """From the command to the first greeting."""
    million_domains()
    few = median(_start("ours, durable") for _ in range(5))
    many = median(_start("ours, a million domains") for _ in range(3))
    return [
        ("start to first greeting, sample rules", f"{few:.2f} s", "< 0.4 s"),
        ("the same, 1,000,000 domains in TOML", f"{many:.2f} s", "< 8 s"),
    ]


def _start(name: str) -> float:
    port = free_port()
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.servers", name, str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        wait_for(port)
        asyncio.run(greetings(port, 1))
        return time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()


def memory() -> list[Sequence[str]]:
    """Of the process: idle, and for each of many connections that say nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server inherits it
    with server("ours, durable") as at, contextlib.ExitStack() as stack:
        asyncio.run(greetings(at.port, 1))
        idle = resident(at.process.pid)
        for _ in range(IDLE):
            stack.enter_context(socket.create_connection(("127.0.0.1", at.port))).recv(500)
        each = (resident(at.process.pid) - idle) / IDLE
    return [
        ("memory, idle", f"{idle / 1024:.0f} MB", "< 60 MB"),
        (f"memory of each of {IDLE:,} idle connections", f"{each:.1f} kB", "< 40 kB"),
    ]


def resident(process: int | str) -> int:
    """What a process has in memory, in kB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError("no VmRSS")

"""Rules in a table of PostgreSQL: how long a million take, and one change among them.

    python -m benchmarks.tables [ROWS [NODES]]

Starts a PostgreSQL of its own and three nodes: processes that follow the table as an app does, an
event loop beside it. Prints how long the import and the load take, when a changed row is in force
on each node, and the longest time that an event loop was kept waiting meanwhile: for that, look at
one node, as several share the cores.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import time
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline.reload import Reloader, Watched
from kumo_handlers.policy.database.difference import Difference
from kumo_handlers.policy.database.engine import open_engine
from kumo_handlers.policy.following import Following
from kumo_handlers.policy.tables import collector_paused, read

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import ModuleType

TICK = 0.001  # seconds between two looks of an event loop at the clock
WATCHED = "customer-7.example.com"
NOBODY = Session("", Peer(""))
STATEMENTS = (
    "UPDATE listener_domains SET relay_to = false WHERE domain = 'customer-7.example.com'",
    "UPDATE listener_domains SET relay_to = true WHERE domain = 'customer-7.example.com'",
    "DELETE FROM listener_domains WHERE domain = 'customer-7.example.com'",
    "INSERT INTO listener_domains (domain, log_oob) VALUES ('customer-7.example.com', 'true')",
    "UPDATE listener_domains SET log_arf = 'true'",  # each row: all of it is read again
)


def main() -> None:
    """Run it all, and print a line a figure."""
    given = [int(word) for word in sys.argv[1:]]
    number, nodes = (*given, *(1_000_000, 3)[len(given) :])
    with server().postgresql(fsync="on") as started:
        begun = time.monotonic()
        fill(started.url, number)
        print(f"{number} rows put into the table: {time.monotonic() - begun:.1f} s")
        ours, theirs = zip(*(multiprocessing.Pipe() for _ in range(nodes)), strict=True)
        for pipe in theirs:
            multiprocessing.Process(target=node, args=(started.url, pipe), daemon=True).start()
            seconds, peak = ours[theirs.index(pipe)].recv()
            print(f"a node has loaded them: {seconds:.1f} s, {peak} MB at most")
        with psycopg.connect(started.url, autocommit=True) as connection:
            for statement in STATEMENTS:
                connection.execute(statement.encode())
                committed = time.monotonic()
                heard = [pipe.recv() for pipe in ours]
                after = ", ".join(f"{at - committed:.2f}" for at, _ in heard)
                paused = max(pause for _, pause in heard)
                print(f"{statement[:40]}: in force after {after} s", end=", ")
                print(f"loops late by {paused * 1000:.0f} ms at most")


def fill(url: str, number: int) -> None:
    """Put so many rows into the table, of six kinds."""
    kinds = [
        {"relay_to": True},
        {"log_oob": True},
        {"log_oob": "LogThenDrop", "log_arf": True},
        {"relay_from": ["10.0.0.0/24"]},
        {"relay_from_authz": ["ann"], "relay_to": True},
        {},
    ]
    rules = {f"customer-{each}.example.com": kinds[each % 6] for each in range(number)}
    with collector_paused():
        (entries,) = read([rules]).parts
    with closing(open_engine(url)) as engine:
        engine.create()
        with engine.snapshot(writing=True) as now:
            found = Difference.of(now.rows(), entries, replace=False)
            now.put([found.rows], found.gone, many=found.is_long)


def node(url: str, pipe: Connection) -> None:
    """Follow the table; say when it is loaded, and of each change when it was in force."""
    begun = time.monotonic()
    following = Following([url])
    following.load()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    lateness = [0.0]

    def replace() -> None:
        following.renew().find(WATCHED, NOBODY)
        pipe.send((time.monotonic(), max(lateness)))
        lateness[:] = [0.0]

    Reloader([Watched("rules", following.signature, replace)], lambda: None).start()
    pipe.send((time.monotonic() - begun, peak))
    asyncio.run(loop(lateness))


async def loop(lateness: list[float]) -> None:
    """An event loop that is asked to run each millisecond, and how late it was."""
    while True:
        due = time.monotonic() + TICK
        await asyncio.sleep(TICK)
        lateness.append(time.monotonic() - due)


def server() -> ModuleType:
    """The tests' PostgreSQL."""
    path = Path(__file__).parent.parent / "tests" / "servers" / "postgresql.py"
    spec = spec_from_file_location("benchmark_postgresql", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()

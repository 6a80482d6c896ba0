"""What a message costs each part of a cluster: processor time, octets. ``benchmarks cores``.

Messages a second depend on what else a machine does; the time that its processors work for one
message depends on that little, and says how many cores a rate takes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from os import sysconf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.broker import KINDS, RULES, records
from benchmarks.load import Load
from benchmarks.smtp import put
from tests.servers.node import Node
from tests.servers.postgresql import postgresql
from tests.servers.rabbitmq import rabbitmq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.servers.postgresql import Server
    from tests.servers.rabbitmq import Broker

SECONDS = 3.0
WARM = 0.5  # seconds: tables are made, code is warm
RELAY = Path(__file__).parent.parent / "tests" / "crash" / "book.py"
TICKS = sysconf("SC_CLK_TCK")
SIZE = """\
SELECT pg_total_relation_size('kumo_records_reports') + sum(pg_total_relation_size(relid))
FROM pg_partition_tree('kumo_records')"""


def main() -> None:
    """Print the tables."""
    with ExitStack() as stack:
        broker, database = stack.enter_context(rabbitmq()), stack.enter_context(postgresql())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        relay_port = stack.enter_context(relay(folder / "relayed"))
        for title, bounces in KINDS.items():
            settings = {} if bounces else {"relay_port": relay_port}
            alone(database, folder / f"alone{bounces}", Case(title, bounces, settings))
            spread(broker, folder / f"spread{bounces}", Case(title, bounces, settings))


class Case(NamedTuple):
    """A kind of mail, and the settings of who handles it."""

    title: str
    bounces: bool
    settings: dict[str, int]

    def put(self, port: int, seconds: float) -> None:
        """Put the load on."""
        put(Load(port, seconds=seconds, bounces=self.bounces))

    def messages(self, node: Node) -> int:
        """How many it has logged: what is relayed has a record at each end."""
        return records(node) if self.bounces else records(node) // 2


def alone(database: Server, folder: Path, case: Case) -> None:
    """One machine that ships."""
    with (
        database.database() as url,
        _node("receiver", folder, "durable", ship=[url], **case.settings) as node,
    ):
        (shipping,) = children(node.pid)
        case.put(node.port, WARM)
        _settle(node)
        parts = {"the app": node.pid, "shipping": shipping, "PostgreSQL": database.pid}
        before, count = spent(parts), case.messages(node)
        case.put(node.port, SECONDS)
        _settle(node)
        count = case.messages(node) - count
        show(f"one machine that ships: {case.title}", before, spent(parts), count)
        with psycopg.connect(url) as connection:
            [(rows,)] = connection.execute(SIZE).fetchall()
        logged = sum(path.stat().st_size for path in (node.run_dir / "log").glob("*"))
        print(f"octets a record: {logged // records(node)} in the log", end=", ")
        print(f"{rows // records(node)} in PostgreSQL, indexes and all")


def spread(broker: Broker, folder: Path, case: Case) -> None:
    """An intake, a RabbitMQ, a worker."""
    url = f"{broker.url}?prefix={folder.name}"
    with (
        _node("receiver", folder / "intake", url) as intake,
        _node("worker", folder / "worker", url, **case.settings) as worker,
    ):
        case.put(intake.port, WARM)
        _settle(worker)
        parts = {"intake": intake.pid, "worker": worker.pid, "RabbitMQ": broker.pid}
        before, count = spent(parts), case.messages(worker)
        case.put(intake.port, SECONDS)
        _settle(worker)
        show(f"spread: {case.title}", before, spent(parts), case.messages(worker) - count)


@contextmanager
def relay(book: Path) -> Iterator[int]:
    """Where mail to relay goes; its own work is not counted."""
    command = [sys.executable, str(RELAY), str(book)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        assert process.stdout is not None  # noqa: S101 - a pipe
        yield int(process.stdout.readline())
        process.kill()


def show(title: str, before: Mapping[str, float], after: Mapping[str, float], count: int) -> None:
    """A line a part."""
    table = Table("part", "ms of a core a message", "messages/s a core", title=title)
    table.title_justify = "left"
    for name, seconds in before.items():
        each = (after[name] - seconds) / count
        table.add_row(name, f"{each * 1e3:.3f}", f"{1 / each:,.0f}" if each else "")
    Console(width=110).print(table)


def spent(parts: Mapping[str, int]) -> dict[str, float]:
    """The processor time, in seconds, of each process and of those it started.

    What an app starts is told apart: it is a part of its own.
    """
    told = set(parts.values())
    return {name: _seconds(pid, told - {pid}) for name, pid in parts.items()}


def _seconds(pid: int, others: set[int]) -> float:
    own = sum(int(word) for word in _stat(pid)[11:13]) / TICKS  # utime and stime: proc(5)
    return own + sum(_seconds(child, others) for child in children(pid) if child not in others)


def children(pid: int) -> list[int]:
    """The processes that it started and that run."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for path in listed for word in path.read_text().split()]


def _stat(pid: int) -> list[str]:
    """What follows the name in parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _settle(node: Node, quiet: float = 1.5) -> None:
    """Return when it has logged nothing for a while; what it logs is shipped meanwhile."""
    count, since = records(node), time.monotonic()
    while time.monotonic() - since < quiet:
        time.sleep(0.1)
        if (now := records(node)) != count:
            count, since = now, time.monotonic()


def _node(kind: str, folder: Path, commit: str, **settings: object) -> Node:
    listeners = [{"listen": "127.0.0.1:0", "relay_hosts": []}]
    rules = [RULES]
    return Node(
        kind, folder, commit=commit, listener_domains=rules, listeners=listeners, **settings
    )

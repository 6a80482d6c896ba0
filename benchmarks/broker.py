"""What a broker costs: its commit beside the disk's, and how fast workers take mail from it.

A RabbitMQ of our own, intake, workers and clients share this machine: with few cores the figures
say what a message costs all of them together, not what each could do alone.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.load import Load, Measured
from benchmarks.smtp import put
from tests.servers.node import Node
from tests.servers.rabbitmq import rabbitmq

if TYPE_CHECKING:
    from tests.servers.rabbitmq import Broker

ROUNDS = 3
WORKERS = (1, 2, 3)
PATIENCE = 60.0
RULES = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": "LogThenDrop"},
}
KINDS = {"2 kB mail to relay": False, "bounces, logged and dropped": True}


def main() -> None:
    """Print the tables."""
    with rabbitmq() as broker, tempfile.TemporaryDirectory() as folder:
        for title, bounces in KINDS.items():
            commits(broker, Path(folder), title, bounces=bounces)
        for title, bounces in KINDS.items():
            workers(broker, Path(folder), title, bounces=bounces)


def commits(broker: Broker, folder: Path, title: str, *, bounces: bool) -> None:
    """Accepted messages a second, on this disk and on the broker's, in turn."""
    with ExitStack() as stack:
        nodes = {
            "this disk": _node("receiver", folder / f"disk{bounces}"),
            "this disk, workers = 2": _node("receiver", folder / f"two{bounces}", workers=2),
            "the broker": _node(
                "receiver", folder / f"intake{bounces}", _url(broker, f"commit{bounces}")
            ),
            "the broker, and a worker takes it": _node(
                "receiver", folder / f"taken{bounces}", _url(broker, f"taken{bounces}")
            ),
        }
        taking = _node("worker", folder / f"taking{bounces}", _url(broker, f"taken{bounces}"))
        for node in (*nodes.values(), taking):
            stack.enter_context(node)
        rounds: dict[str, list[Measured]] = {name: [] for name in nodes}
        for _ in range(ROUNDS):
            for name, node in nodes.items():
                rounds[name].append(put(Load(node.port, bounces=bounces)))
    table = Table("commit", "messages/s", "times the first", "p50, ms", "p99, ms")
    table.title, table.title_justify = f"accepted: {title}, 20 sessions", "left"
    first = median(each.rate for each in rounds["this disk"])
    for name, each in rounds.items():
        rate = median(round_.rate for round_ in each)
        times = [f"{median(getattr(r, key) for r in each):.1f}" for key in ("p50", "p99")]
        table.add_row(name, f"{rate:,.0f}", f"{rate / first:.2f}", *times)
    Console(width=110).print(table)


def workers(broker: Broker, folder: Path, title: str, *, bounces: bool) -> None:
    """Messages a second from the queue to the log, by the number of workers."""
    table = Table("workers", "messages", "messages/s", "times one worker's")
    table.title, table.title_justify = f"handled: {title}", "left"
    first = 0.0
    for count in WORKERS:
        name = f"work{count}{bounces}"
        url = _url(broker, name)
        with ExitStack() as stack:
            intake = stack.enter_context(_node("receiver", folder / f"{name}-intake", url))
            crew = [
                stack.enter_context(_node("worker", folder / f"{name}-{number}", url))
                for number in range(count)
            ]
            time.sleep(0.5)
            total, seconds = _drain(crew, intake.port, bounces=bounces)
        rate = total / seconds
        first = first or rate
        table.add_row(f"{count}", f"{total:,}", f"{rate:,.0f}", f"{rate / first:.2f}")
    Console(width=110).print(table)


def _drain(crew: list[Node], port: int, *, bounces: bool) -> tuple[int, float]:
    """Fill the queue while nobody takes anything, then time how long it lasts."""
    for worker in crew:
        os.kill(worker.pid, signal.SIGSTOP)
    put(Load(port, seconds=2.0, bounces=bounces))
    time.sleep(0.5)
    start = time.perf_counter()
    for worker in crew:
        os.kill(worker.pid, signal.SIGCONT)
    last, seconds = 0, 0.0
    while time.perf_counter() - start < PATIENCE:
        handled = sum(map(records, crew))
        if handled != last:
            last, seconds = handled, time.perf_counter() - start
        elif last and time.perf_counter() - start - seconds > 1.0:
            break
        time.sleep(0.02)
    return last, seconds


def records(node: Node) -> int:
    """How many records it has."""
    return sum(path.read_bytes().count(b"\n") for path in (node.run_dir / "log").glob("*"))


def _url(broker: Broker, prefix: str) -> str:
    return f"{broker.url}?prefix={prefix}"


def _node(kind: str, folder: Path, url: str = "durable", workers: int = 1) -> Node:
    listeners = [{"listen": "127.0.0.1:0", "relay_hosts": []}]
    rules = [RULES]
    return Node(
        kind, folder, commit=url, listener_domains=rules, listeners=listeners, workers=workers
    )

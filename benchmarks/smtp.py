"""Messages a second: real connections on loopback, interleaved rounds, ratios to the first."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.servers import SERVERS
from kumo_handlers.testing import make_bounce, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SESSIONS, MESSAGES, ROUNDS = 20, 100, 5
LETTER = make_letter("bob@example.com") + b"a line of an ordinary letter\r\n" * 60
BOUNCE = make_bounce("gone@nowhere.example")


def main() -> None:
    """Print the tables."""
    sink = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    for title, recipient, content in (
        ("2 kB mail to relay", b"bob@example.com", LETTER),
        ("bounces, logged and dropped", b"v@bounce.example.com", BOUNCE),
    ):
        with ExitStack() as stack:
            ports = {name: stack.enter_context(python_server(name)) for name in SERVERS}
            if sink:
                ports["smtp-sink (C)"] = stack.enter_context(sink_server(sink))
            compare(title, ports, recipient, content)


def compare(title: str, ports: dict[str, int], recipient: bytes, content: bytes) -> None:
    """Each server in each round, one after the other."""
    rates: dict[str, list[float]] = {name: [] for name in ports}
    for _ in range(ROUNDS):
        for name, port in ports.items():
            rates[name].append(asyncio.run(rate(port, recipient, content)))
    table = Table("server", "messages/s", "times ours, durable", title=title, title_justify="left")
    first = median(next(iter(rates.values())))
    for name, each in rates.items():
        table.add_row(name, f"{median(each):,.0f}", f"{median(each) / first:.2f}")
    Console(width=110).print(table)


async def rate(port: int, recipient: bytes, content: bytes) -> float:
    """Messages a second over all sessions, each one connection."""
    start = time.perf_counter()
    await asyncio.gather(*(session(port, recipient, content) for _ in range(SESSIONS)))
    return SESSIONS * MESSAGES / (time.perf_counter() - start)


async def session(port: int, recipient: bytes, content: bytes) -> None:
    """One client: a command, its reply, the next command."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say(line: bytes) -> None:
        writer.write(line)
        while (reply := await reader.readline())[3:4] == b"-":
            pass
        if reply[:1] not in b"23":
            raise RuntimeError(f"{line[:40]!r} was answered {reply!r}")

    await say(b"")
    await say(b"EHLO client.example\r\n")
    for _ in range(MESSAGES):
        await say(b"MAIL FROM:<ann@elsewhere.example>\r\n")
        await say(b"RCPT TO:<" + recipient + b">\r\n")
        await say(b"DATA\r\n")
        await say(content + b".\r\n")
    writer.close()
    await writer.wait_closed()


@contextmanager
def python_server(name: str) -> Iterator[int]:
    """One of `SERVERS`, listening."""
    with running(lambda port: [sys.executable, "-m", "benchmarks.servers", name, str(port)]) as at:
        yield at


@contextmanager
def sink_server(program: str) -> Iterator[int]:
    """Postfix's smtp-sink, which discards in C."""
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it insists
    with running(lambda port: [program, *user, f"inet:127.0.0.1:{port}", "1024"]) as at:
        yield at


@contextmanager
def running(command: Callable[[int], list[str]]) -> Iterator[int]:
    """A server on a free port, ended at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen(command(port), stderr=subprocess.DEVNULL)  # noqa: S603 - a server of the comparison
    try:
        wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def wait_for(port: int) -> None:
    """Return when somebody listens."""
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return

"""Clients that trickle, a thousand of them; and then somebody comes with a letter.

    python tests/proofs/slow.py --clients 1000

A quarter of them say nothing, a quarter send a command octet by octet, a quarter half a message
and the rest octet by octet, and a quarter ask and never read an answer. Meanwhile new clients
come, one after the other. The exit status is 0 only if 99 of 100 are greeted within a second, each
letter is accepted, nobody was cut off for the others, the next client over the limit is told 421,
and a client costs no more than `MOST_MEMORY`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import click
from salmon.routing import Router

import kumo_handlers
from kumo_handlers import boot
from kumo_handlers.testing import make_letter

PAGE = os.sysconf("SC_PAGE_SIZE")
LONGEST = 1.0
# Octets of memory for each client, replies that it does not read included
MOST_MEMORY = 256 * 1024
# More than these besides the slow ones are too many
ROOM = 8
BEGIN = b"EHLO slow.example\r\n"
CONTENT = BEGIN + b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
HALF = CONTENT + (b"x" * 70 + b"\r\n") * 900
UNREAD = BEGIN * 90
# Seconds from one new client, and one octet of each slow one, to the next
PAUSE = 0.02


def serve(folder: str, most: int) -> None:
    """The app, in a process of its own, until the standard input ends."""
    listener = {"listen": "127.0.0.1:0", "relay_hosts": [], "max_connections": most}
    settings = SimpleNamespace(
        listener_domains=[{"d.example": {"relay_to": True}}],
        listeners=[listener],
        run_dir=folder,
        relay=None,
        handlers=kumo_handlers.pipeline(),
    )
    receiver = boot.receiver(settings)
    Router.load(settings.handlers)
    receiver.start()
    print(receiver.addresses[0].port, flush=True)  # noqa: T201 - who started us reads it
    sys.stdin.read()
    receiver.stop()


class Slow:
    """One slow client."""

    def __init__(self, number: int) -> None:
        self._kind = number % 4

    async def begin(self, port: int) -> None:
        """Connect, and say what is said at once."""
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", port, limit=1024 if self._kind == 3 else 65536
        )
        if self._kind >= 2:
            self._writer.write(HALF if self._kind == 2 else UNREAD)

    def trickle(self, octet: bytes) -> None:
        """One octet more, of a command or of a message."""
        if self._kind in (1, 2):
            self._writer.write(octet)

    def is_there(self) -> bool:
        """Whether the server has not ended it."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    def end(self) -> None:
        """Be gone."""
        self._writer.transport.abort()


async def deliver(port: int) -> tuple[float, bool]:
    """A letter from somebody new: after how many seconds the greeting came, and if it was taken."""
    start = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readuntil(b"\r\n")
    greeted = time.monotonic() - start
    writer.write(CONTENT + make_letter("c@d.example") + b".\r\nQUIT\r\n")
    said = await reader.read()
    writer.close()
    return greeted, said.count(b"\r\n250 2.0.0 OK") == 1


async def refused(port: int) -> int:
    """How many of the clients that are too many are told 421."""
    come = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * ROOM)]
    greetings = [await reader.readline() for reader, _ in come]
    for _, writer in come:
        writer.transport.abort()
    return sum(greeting.startswith(b"421 4.3.2 ") for greeting in greetings)


async def measure(port: int, pid: int, clients: int, letters: int) -> bool:
    """Let them come and trickle; whether all is well."""
    await deliver(port)
    before = _memory(pid)
    slow = [Slow(number) for number in range(clients)]
    for each in slow:
        await each.begin(port)
    octets = itertools.cycle(b"x" * 60)
    times, accepted = [], 0
    for _ in range(letters):
        for each in slow:
            each.trickle(bytes([next(octets)]))
        greeted, is_taken = await deliver(port)
        times.append(greeted)
        accepted += is_taken
        await asyncio.sleep(PAUSE)
    there = sum(each.is_there() for each in slow)
    grown = (_memory(pid) - before) / clients
    told = await refused(port)
    for each in slow:
        each.end()
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    click.echo(f"{there:8} of {clients} slow clients are there")
    click.echo(
        f"{1000 * p99:8.1f} ms until a new one is greeted (p99), {1000 * times[-1]:.1f} most"
    )
    click.echo(f"{accepted:8} of {letters} letters accepted")
    click.echo(f"{grown / 1024:8.1f} KiB of memory a slow client; {before >> 20} MiB before them")
    click.echo(f"{told:8} of {ROOM} clients too many were told 421")
    return (p99 < LONGEST, accepted, there, told) == (True, letters, clients, ROOM) and (
        grown < MOST_MEMORY
    )


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


@click.command()
@click.option("--clients", default=1000, show_default=True, help="How many that trickle.")
@click.option("--letters", default=200, show_default=True, help="How many new clients, meanwhile.")
@click.option("--serve", "folder", hidden=True, help="Be the app, in this folder.")
def main(clients: int, letters: int, folder: str | None) -> None:
    """See that slow clients harm nobody."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if folder is not None:
        serve(folder, clients + ROOM)
        return
    with tempfile.TemporaryDirectory(prefix="slow-") as run_dir:
        command = [sys.executable, __file__, f"--clients={clients}", f"--serve={run_dir}"]
        # our own script; the end of its standard input ends it
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as app:
            assert app.stdout is not None
            port = int(app.stdout.readline())
            is_well = asyncio.run(measure(port, app.pid, clients, letters))
            assert app.stdin is not None
            app.stdin.close()
    sys.exit(not is_well)


if __name__ == "__main__":
    main()

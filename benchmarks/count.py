"""Instructions, counted by callgrind: a figure that no other load on the machine changes.

Each case runs N times and 2N times, each in a process of its own; the difference is what N more
cost, without starting Python. Hashes are not seeded, so that runs agree.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.lookup import asking, domains, finding, our_router, recipients
from kumo_handlers.journal.parsing import parse_report
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline import routes
from kumo_handlers.policy import tables
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.events import Message
from kumo_handlers.smtp.protocol import Connection
from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable

_TOTAL = re.compile(r"Collected : (\d+)")


def look_up() -> Callable[[], object]:
    """The policy's answer about a domain, of a thousand."""
    return asking(tables.load([domains(1000)]), [f"d{n}.example" for n in range(1000)])


def routing() -> Callable[[], object]:
    """The handlers of a recipient, through Salmon's Router."""
    policy = tables.load([domains(1000)])
    find = finding(our_router(), recipients(1000))

    def once() -> None:
        with routes.deciding_with(policy):
            find()

    return once


def bounce() -> Callable[[], object]:
    """A bounce, from its bytes to its record."""
    content = make_bounce("gone@nowhere.example")
    return lambda: parse_report(content)


def complaint() -> Callable[[], object]:
    """A feedback report, likewise."""
    content = make_complaint("emil@provider.example")
    return lambda: parse_report(content)


def message() -> Callable[[], object]:
    """One message of 2 kB through the core of the listener, with a backend that says yes."""
    connection = Connection(
        Listener(max_messages_per_connection=1_000_000), Session("s", Peer("127.0.0.1"), meta={})
    )
    steps = [b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n"]
    steps.append(make_letter("c@d.example") + b"a line of an ordinary letter\r\n" * 60 + b".\r\n")

    def say(step: bytes) -> None:
        connection.receive(step)
        while (event := connection.next_event()) is not None:
            connection.answer(event, replies.OK if isinstance(event, Message) else None)
        if connection.take_output()[:1] not in b"23":
            raise RuntimeError(f"refused: {step[:40]!r}")

    say(b"")  # the greeting
    say(b"EHLO client.example\r\n")
    return lambda: [say(step) for step in steps]


CASES: dict[str, tuple[Callable[[], Callable[[], object]], int]] = {
    "look-up": (look_up, 2000),
    "SMTP message, core alone": (message, 200),
    "five routes": (routing, 1000),
    "bounce to record": (bounce, 100),
    "complaint to record": (complaint, 100),
}


def main() -> None:
    """Print instructions for each case."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("count: left out (apt-get install valgrind)")
        return
    table = Table("case", "instructions")
    for name, (_, count) in CASES.items():
        few, many = (_collect(valgrind, name, times) for times in (count, 2 * count))
        table.add_row(name, f"{(many - few) / count:,.0f}")
    Console(width=110).print(table)


def _collect(valgrind: str, name: str, count: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = f"--callgrind-out-file={Path(folder) / 'out'}"
        command = [valgrind, "--tool=callgrind", out, sys.executable, "-m", "benchmarks.count"]
        done = subprocess.run(  # noqa: S603 - valgrind, and ours
            [*command, name, str(count)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": "0"},
        )
    found = _TOTAL.search(done.stderr)
    if found is None:
        raise RuntimeError(done.stderr)
    return int(found[1])


if __name__ == "__main__":
    make, _ = CASES[sys.argv[1]]
    case = make()
    for _ in itertools.repeat(None, int(sys.argv[2])):
        case()

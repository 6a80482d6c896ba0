"""The main job, with real SMTP clients, and what happened: ``make demo``.

Starts this application as ``salmon start`` does, in ``run/demo``, on free ports of loopback, and
Salmon's own SMTP server for it to relay to. Sends real mail with smtplib, waits for what should
follow, and prints a table. The exit status is 0 only if all of it is as the rules say.
"""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import socket
import sqlite3
import subprocess
import sys
import time
import traceback
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from rich.console import Console
from rich.table import Table
from salmon.server import SMTPReceiver

from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "run" / "demo"
REFUSED = 400  # the replies from here on (RFC 5321, 4.2.1)
PATIENCE = 30.0  # seconds until what should follow a message must have followed

EXTRA_RULES = """\
# The demo's clients are all on loopback: here it is the network of send.example.com.
["send.example.com"]
relay_from = ["127.0.0.0/8"]

[listener."127.0.0.1:{second}"."*.example.com"]
log_oob = false
"""
SETTINGS = """

# as above, on the demo's ports; nobody is trusted by address alone
relay_config = {{"host": "127.0.0.1", "port": {relay}}}
listener_domains = ["config/listener_domains.toml", "config/demo.toml"]
listeners = [
    {{"listen": "127.0.0.1:{first}", "hostname": "mail.example.com", "relay_hosts": []}},
    {{"listen": "127.0.0.1:{second}", "hostname": "mx2.example.com", "relay_hosts": []}},
]
"""


class Case(NamedTuple):
    """One message, and what the rules say about it."""

    what: str
    sender: str
    recipient: str
    content: bytes
    code: int
    rule: str
    records: tuple[str, ...]
    relayed: bool = False
    second_listener: bool = False


CASES = (
    Case(
        "mail to a domain that is relayed to",
        "ann@elsewhere.example",
        "bob@example.com",
        make_letter("bob@example.com"),
        250,
        "relay_to",
        ("Reception", "Delivery"),
        relayed=True,
    ),
    Case(
        "mail to a domain nobody wrote a rule for",
        "ann@elsewhere.example",
        "carl@elsewhere.example",
        make_letter("carl@elsewhere.example"),
        550,
        "none",
        ("Rejection",),
    ),
    Case(
        "a bounce (RFC 3464)",
        "",
        "news+Dora=Nowhere.example@bounce.example.com",
        make_bounce("Dora@nowhere.example"),
        250,
        "log_oob",
        ("OOB",),
    ),
    Case(
        "a complaint (RFC 5965)",
        "fbl@provider.example",
        "complaints@fbl.example.com",
        make_complaint("emil@provider.example"),
        250,
        "log_arf",
        ("Feedback",),
    ),
    Case(
        "ordinary mail to the bounce address",
        "ann@elsewhere.example",
        "someone@bounce.example.com",
        make_letter("someone@bounce.example.com"),
        550,
        "log_oob",
        ("Rejection",),
    ),
    Case(
        "mail out, from a relay_from network",
        "news@send.example.com",
        "frida@elsewhere.example",
        make_letter("frida@elsewhere.example"),
        250,
        "relay_from",
        ("Reception", "Delivery"),
        relayed=True,
    ),
    Case(
        "a bounce to any.example.com, by the wildcard",
        "",
        "gina@any.example.com",
        make_bounce("henry@nowhere.example"),
        250,
        "relay_to",
        ("OOB", "Reception", "Delivery"),
        relayed=True,
    ),
    Case(
        "the same on the second listener, whose section says otherwise",
        "",
        "ida@any.example.com",
        make_bounce("jack@nowhere.example"),
        550,
        "none",
        ("Rejection",),
        second_listener=True,
    ),
    Case(
        "mail that the app's own handler answers",
        "kate@elsewhere.example",
        "hello@example.com",
        make_letter("hello@example.com"),
        250,
        "relay_to",
        ("Reception", "Delivery"),
        relayed=True,
    ),
)
SUPPRESSED = {
    "Dora@nowhere.example",
    "emil@provider.example",
    "henry@nowhere.example",
}


class Upstream(SMTPReceiver):
    """The server to relay to: Salmon's own, keeping what it is given."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.arrived: dict[str, bytes] = {}

    def process_message(self, Peer: Any, From: str, To: list[str], Data: Any, **_: Any) -> None:  # noqa: ANN401, ARG002, N803 - Salmon's
        """Keep the content under its recipient."""
        content = Data if isinstance(Data, bytes) else Data.encode("utf-8", "surrogateescape")
        self.arrived[To[0]] = content


class Result(NamedTuple):
    """What became of a case."""

    case: Case
    reply: str
    rule: str
    records: tuple[str, ...]
    ended: str
    is_right: bool


MARK = {True: "[green]yes[/]", False: "[red]NO[/]"}


def main() -> int:
    """Run the demo. The exit status is 0 if all of it is as the rules say."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    first, second, relay = free_ports(3)
    make_project(first, second, relay)
    upstream = Upstream(relay)
    upstream.start()
    with salmon_app((first, second)):
        console.print(f"the app listens on 127.0.0.1:{first} and :{second}, relays to :{relay}")
        replies = [send(case, second if case.second_listener else first) for case in CASES]
        wait_until(lambda: all(each.is_right for each in compare(replies, upstream)))
        results = compare(replies, upstream)
    console.print(table(results))
    return report(console, results, upstream)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def make_project(first: int, second: int, relay: int) -> None:
    """A copy of this app, with the demo's ports in its settings."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    for folder in ("app", "config"):
        shutil.copytree(ROOT / folder, PROJECT / folder)
    (PROJECT / "run").mkdir()
    ports = {"first": first, "second": second, "relay": relay}
    (PROJECT / "config" / "demo.toml").write_text(EXTRA_RULES.format(**ports))
    with (PROJECT / "config" / "settings.py").open("a") as settings:
        settings.write(SETTINGS.format(**ports))


@contextmanager
def salmon_app(ports: tuple[int, ...]) -> Iterator[None]:
    """``salmon start``, until the block is left."""
    command = [str(Path(sys.executable).parent / "salmon"), "start", "--no-daemon"]
    path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": path}
    app = subprocess.Popen(command, cwd=PROJECT, env=environment)  # noqa: S603 - our own salmon
    try:
        wait_until(lambda: app.poll() is not None or all(map(is_listening, ports)))
        if app.poll() is not None or not all(map(is_listening, ports)):
            raise TimeoutError("the app did not start, see above")
        yield
    finally:
        app.terminate()
        app.wait(PATIENCE)


def is_listening(port: int) -> bool:
    """Whether somebody greets us there."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5):
            return True
    except OSError:
        return False


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when it is so, or when patience is over."""
    deadline = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)


def send(case: Case, port: int) -> str:
    """Send one message as any client would; the answer is the reply that settled it."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo("client.example")
        client.mail(case.sender)
        code, text = client.rcpt(case.recipient)
        if code < REFUSED:
            code, text = client.data(case.content)
    return f"{code} {text.decode()}"


def records_of(case: Case) -> list[dict[str, Any]]:
    """What the log says about a case, in its order."""
    return [
        record
        for path in sorted((PROJECT / "run" / "log").glob("*.jsonl"))
        for record in map(json.loads, path.read_text().splitlines())
        if case.recipient in (record["recipient"], record["sender"])
    ]


def compare(replies: list[str], upstream: Upstream) -> list[Result]:
    """The results so far."""
    return [result(*each, upstream) for each in zip(CASES, replies, strict=True)]


def result(case: Case, reply: str, upstream: Upstream) -> Result:
    """Compare what happened to a case with what the rules say."""
    found = records_of(case)
    types = tuple(record["type"] for record in found)
    rule = next((record["meta"]["rule"] for record in found), "?")
    arrived = upstream.arrived.get(case.recipient, b"")
    whole = arrived.endswith(case.content.replace(b"\r\n", b"\n").rstrip(b"\n"))
    is_right = (
        reply.startswith(str(case.code))
        and rule == case.rule
        and sorted(types) == sorted(case.records)
        and bool(arrived) == case.relayed
        and (whole or not case.relayed)
    )
    ended = "at the relay" if arrived else "refused" if case.code >= REFUSED else "in the log"
    return Result(case, reply, rule, types, ended, is_right)


def table(results: list[Result]) -> Table:
    """What was sent, the reply, the rule, the records, where it ended."""
    shown = Table("what was sent", "to", "reply", "rule", "records", "it ended", "as expected")
    for each in results:
        shown.add_row(
            each.case.what,
            each.case.recipient,
            each.reply,
            each.rule,
            ", ".join(each.records),
            each.ended,
            MARK[each.is_right],
        )
    return shown


def report(console: Console, results: list[Result], upstream: Upstream) -> int:
    """The rest of what happened, and the exit status."""
    with closing(sqlite3.connect(PROJECT / "run" / "suppression.sqlite3")) as database:
        suppressed = {row[0] for row in database.execute("SELECT address FROM suppression")}
    answered = "kate@elsewhere.example" in upstream.arrived
    console.print(f"suppressed by the app: {', '.join(sorted(suppressed))}")
    console.print(f"the app answered kate@elsewhere.example: {MARK[answered]}")
    console.print("look around in run/demo: run/log has the records, run/salmon.log the reasons")
    is_right = all(each.is_right for each in results) and suppressed == SUPPRESSED and answered
    console.print("[green]all as the rules say[/]" if is_right else "[red]NOT as the rules say[/]")
    return 0 if is_right else 1


def run() -> NoReturn:
    """Run the demo, and end: asyncore, under Salmon's receiver, has a thread that never does."""
    status = 1
    try:
        status = main()
    except Exception:  # noqa: BLE001 - whatever it is, the process must end
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    run()

"""``kumo-handlers selftest``: against our listener, and against one with every fault."""

from __future__ import annotations

import asyncio
import json
import os
import socketserver
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli import wire
from kumo_handlers.cli.selftest import selftest
from kumo_handlers.mail.reply import reply
from kumo_handlers.policy import relaying, tables
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Place
from kumo_handlers.smtp.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
RULES = """\
["example.com"]
relay_to = true
["*.example.com"]
log_oob = true
["www.example.com"]
["own.example.com"]
relay_from = ["127.0.0.0/8"]
"""


class Backend:
    """Decides as the policy says, and keeps nothing."""

    def __init__(self, listener: Listener, rules: str) -> None:
        self.listener = listener
        self.policy = tables.load([rules])

    def quiet(self, *_: object) -> None:
        """The usual reply."""

    connected = hello = mail = reset = closed = quiet

    def recipient(self, transaction: Any, forward_path: Any) -> Any:
        """The decision."""
        decided = relaying.decide(
            self.policy,
            self.listener,
            transaction.session,
            transaction.envelope.reverse_path,
            forward_path,
        )
        return None if decided.accepted else reply(550, "5.7.1", "no")

    async def message(self, *_: object) -> Any:
        """Taken."""
        return reply(250, "2.0.0", "OK")


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Start a listener of ours, by the rules in rules.toml; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[Server] = []
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)

    def run(task: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(task, loop).result(20)

    def start(rules: Path = rules, **options: object) -> int:
        given = {"listen": "127.0.0.1:0", "relay_hosts": ["192.0.2.1"], **options}
        listener = Listener.read(given, Place())
        server = Server(listener, Backend(listener, str(rules)))
        run(server.start())
        servers.append(server)
        return server.sockname.port

    yield start
    for server in servers:
        run(server.stop(1))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def run(port: int, *words: str) -> Result:
    """The command."""
    return CliRunner().invoke(selftest, [f"127.0.0.1:{port}", *words])


def findings(done: Result) -> dict[str, tuple[str, str]]:
    """Verdict and detail of each finding."""
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["what"]: (each["verdict"], each["detail"]) for each in found}


def test_our_listener_passes(listen: Callable[..., int], tmp_path: Path) -> None:
    """Every probe, and each domain as the rules say."""
    done = run(
        listen(), "--listener-domains", str(tmp_path / "rules.toml"), "--relay-hosts", "192.0.2.1"
    )
    assert done.exit_code == 0, done.output
    assert [line[:4] for line in done.stdout.splitlines()] == ["PASS"] * 5
    assert "4 answer as the policy says" in done.stdout


@pytest.mark.parametrize("ending", ["Deny", "Allow", "Fix"])
def test_no_way_to_read_line_ends_lets_smuggle(listen: Callable[..., int], ending: str) -> None:
    """Whatever becomes of bare line ends, none ends a message."""
    done = run(listen(invalid_line_endings=ending), "--to", "a@example.com", "--json")
    assert findings(done)["smuggling"][0] == "pass"


def test_without_rules(listen: Callable[..., int]) -> None:
    """What cannot be tried is said; it is no failure."""
    done = run(listen(), "--json")
    assert done.exit_code == 0
    assert findings(done)["smuggling"] == (
        "skip",
        "--to ADDRESS names a recipient that is accepted",
    )
    assert "listener domains" not in findings(done)
    refused = findings(run(listen(), "--json", "--to", "a@far.example"))["smuggling"]
    assert (refused[0], "is not accepted: 550" in refused[1]) == ("skip", True)


def test_a_trusted_address_relays(listen: Callable[..., int]) -> None:
    """It is found out, with what to do about it; from elsewhere it is another matter."""
    port = listen(relay_hosts=["127.0.0.1"])
    done = run(port, "--json")
    assert done.exit_code == 1
    verdict, detail = findings(done)["relays for anyone"]
    assert (verdict, "is 127.0.0.1 in relay_hosts?" in detail) == ("fail", True)
    assert run(port, "--source", "127.0.0.2").exit_code == 0


def test_domains_that_answer_otherwise(listen: Callable[..., int], tmp_path: Path) -> None:
    """Each is named, with what should be."""
    other = tmp_path / "other.toml"
    other.write_text('["www.example.com"]\nrelay_to = true\n["example.com"]\n')
    done = run(listen(), "--listener-domains", str(other), "--relay-hosts", "192.0.2.1")
    assert done.exit_code == 1
    assert "<selftest@www.example.com> should be accepted: 550" in done.stdout
    assert "<selftest@example.com> should be refused: 250" in done.stdout


def test_lmtp(listen: Callable[..., int], tmp_path: Path) -> None:
    """It is spoken to a server that speaks it: after a refused EHLO every refusal would pass."""
    done = run(
        listen(protocol="lmtp"),
        *("--listener-domains", str(tmp_path / "rules.toml"), "--relay-hosts", "192.0.2.1"),
    )
    assert [line[:4] for line in done.stdout.splitlines()] == ["PASS"] * 5, done.output
    open_relay = run(listen(protocol="lmtp", relay_hosts=["127.0.0.1"]), "--json")
    assert findings(open_relay)["relays for anyone"][0] == "fail"


class Closed(socketserver.StreamRequestHandler):
    """A server that wants nobody."""

    def handle(self) -> None:
        """The same, whatever is said."""
        self.wfile.write(b"220 closed.example\r\n")
        while self.rfile.readline():
            self.wfile.write(b"550 go away\r\n")


def test_a_server_that_wants_nobody() -> None:
    """Nothing was tried, so nothing has passed."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Closed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = run(server.server_address[1], "--json", "--to", "a@example.com")
        server.shutdown()
        thread.join()
    assert done.exit_code == 1
    verdict, detail = findings(done)["relays for anyone"]
    assert (verdict, "EHLO is refused: 550 go away" in detail) == ("fail", True)
    assert "pass" not in {verdict for verdict, _ in findings(done).values()}


def test_from_an_address_of_another_machine(listen: Callable[..., int]) -> None:
    """That is no fault of the server's."""
    done = run(listen(), "--source", "203.0.113.5")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Cannot assign requested address" in done.stderr


def test_percent_hack_is_a_warning(listen: Callable[..., int], tmp_path: Path) -> None:
    """The local part is ours to read or not: what is behind decides."""
    rules = tmp_path / "own.toml"
    rules.write_text('["mx.example.com"]\nrelay_to = true\n')
    done = run(listen(rules, hostname="mx.example.com"), "--json")
    assert findings(done)["relays for anyone"][0] == "warn"
    assert done.exit_code == 0


class Faulty(socketserver.StreamRequestHandler):
    """A server that lets everything through, and any dot on a line of its own end the content."""

    def handle(self) -> None:
        """Answer command after command."""
        self.say("220 faulty.example ESMTP")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"EHLO":
                self.say("250-faulty.example")
                self.say("250 STARTTLS")
            elif verb == b"DATA":
                self.say("354 go on")
                while self.rfile.readline().strip(b"\r\n") not in (b".", b""):
                    pass
                while self.rfile.readline().strip(b"\r\n") != b".":
                    pass
                self.say("250 taken")
            elif verb == b"STAR":
                self.say("220 begin")
                return
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 of course")

    def say(self, text: str) -> None:
        """A reply."""
        self.wfile.write(text.encode() + b"\r\n")


@pytest.fixture
def faulty() -> Iterator[int]:
    """The port of a faulty server."""
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Faulty) as server,
        ThreadPoolExecutor(1) as threads,
    ):
        threads.submit(server.serve_forever, 0.05)
        yield server.server_address[1]
        server.shutdown()


def test_faults_are_found(faulty: int) -> None:
    """An open relay that can be smuggled through, and whose TLS does not begin."""
    done = run(faulty, "--to", "a@b.example", "--json")
    found = findings(done)
    assert done.exit_code == 1
    assert {what: verdict for what, (verdict, _) in found.items()} == {
        "relays for anyone": "fail",
        "smuggling": "fail",
        "STARTTLS": "fail",
        "commands before TLS": "pass",
    }
    assert r"b'\n.\n' ends a message" in found["smuggling"][1]
    assert "offered, and fails" in found["STARTTLS"][1]


@pytest.mark.parametrize(
    ("words", "message", "status"),
    [
        (["nowhere"], "expected HOST:PORT", 2),
        (["192.0.2.1:25"], "--remote says that it is yours to test", 2),
        (["127.0.0.1:1"], "Connection refused", 1),
        (["127.0.0.1:1", "--listener-domains", "none.toml"], "cannot be read", 1),
    ],
)
def test_mistakes(words: list[str], message: str, status: int) -> None:
    """In words, without a traceback."""
    done = CliRunner().invoke(selftest, words)
    assert (done.exit_code, message in done.output) == (status, True), done.output


def test_replies_of_several_lines(faulty: int) -> None:
    """They are one."""
    with wire.Wire(wire.Target("127.0.0.1", faulty)) as client:
        assert client.ask("EHLO x") == "250-faulty.example\n250 STARTTLS"
        client.ask("QUIT")
        with pytest.raises(ConnectionError):
            client.reply()


def test_as_a_user_calls_it(listen: Callable[..., int]) -> None:
    """The real program."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from kumo_handlers.cli.main import main; main()"),
            *("selftest", f"localhost:{listen()}"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("PASS") == 3

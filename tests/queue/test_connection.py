"""An open connection to a relay."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import RelayError
from kumo_handlers.queue.connection import Connection
from kumo_handlers.queue.destination import Destination
from kumo_handlers.queue.greeting import Timeouts
from tests.ports import free_port

from .scripted_relay import EVERYTHING, ScriptedRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CERTIFICATE = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=relay.example"
    " -keyout key.pem -out cert.pem"
)
QUICK = Timeouts(connect=1, command=0.3, final_dot=0.3)


@pytest.fixture
def connected(relay: ScriptedRelay) -> Iterator[Callable[[], Connection]]:
    """Connects to the relay, and closes in the end."""
    opened: list[Connection] = []

    def connect() -> Connection:
        destination = Destination("", "127.0.0.1", relay.port)
        opened.append(Connection(relay, destination, QUICK, "here.example"))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def test_greets_with_our_name(relay: ScriptedRelay, connected: Callable[[], Connection]) -> None:
    """And learns what is offered."""
    connection = connected()
    assert relay.commands == [b"ehlo here.example"]
    assert set(connection.features) == {"pipelining", "size", "8bitmime", "smtputf8"}
    assert (connection.peer, connection.source) == ("127.0.0.1", "127.0.0.1")
    assert connection.protocol == "ESMTP"
    assert connection.tls == {}


def test_old_server(relay: ScriptedRelay, connected: Callable[[], Connection]) -> None:
    """A server that knows no EHLO is greeted with HELO (RFC 5321, 3.2)."""
    relay.answers["EHLO"].append(b"502 what\r\n")
    assert connected().features == {}
    assert relay.commands == [b"ehlo here.example", b"helo here.example"]


@pytest.mark.parametrize(
    ("answer", "code", "status", "text"),
    [
        (b"250 ok\r\n", 250, "None", "ok"),
        (b"250\r\n", 250, "None", ""),
        (b"250 2.1.0 ok\n", 250, "2.1.0", "ok"),
        (b"550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user\r\n", 550, "5.1.1", "no\nsuch\nuser"),
        (b"550 \xff\r\n", 550, "None", "\udcff"),
    ],
)
def test_replies(
    relay: ScriptedRelay,
    connected: Callable[[], Connection],
    answer: bytes,
    code: int,
    status: str,
    text: str,
) -> None:
    """Code, enhanced status, and text without it (RFC 5321, 4.2; RFC 2034, 4)."""
    connection = connected()
    relay.answers["NOOP"].append(answer)
    found = connection.command(b"NOOP")
    assert (found.code, str(found.status), found.text) == (code, status, text)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<drop>", "closed"),
        (b"<hang>", "no reply in time"),
        (b"ok\r\n", "the reply is none"),
        (b"1000 x\r\n", "the reply is none"),
        (b"650 x\r\n", "the reply is none"),
        (b"250 " + b"x" * 3000 + b"\r\n", "the reply is none"),
        (b"250-x\r\n" * 101, "a reply without end"),
    ],
)
def test_what_is_no_reply(
    relay: ScriptedRelay, connected: Callable[[], Connection], answer: bytes, reason: str
) -> None:
    """Nothing is concluded from it."""
    connection = connected()
    relay.answers["NOOP"].append(answer)
    with pytest.raises(RelayError, match=reason):
        connection.command(b"NOOP")


def test_slow_reply_is_no_reply() -> None:
    """A server that sends a byte now and then does not keep us for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_drip, args=(listening,), daemon=True).start()
        relay = ScriptedRelay(port=listening.getsockname()[1])
        connection = Connection(relay, Destination("", "127.0.0.1", relay.port), QUICK, "h")
        begun = time.monotonic()
        with pytest.raises(RelayError, match="in time"):
            connection.command(b"NOOP")
        assert time.monotonic() - begun < 1
        connection.close()


def _drip(listening: socket.socket) -> None:
    client, _ = listening.accept()
    with client:
        client.sendall(b"220 slow\r\n")
        client.recv(100)
        client.sendall(b"250 ok\r\n")
        client.recv(100)
        for _ in range(20):
            try:
                client.sendall(b"2")
            except OSError:
                return
            time.sleep(0.1)


@pytest.mark.parametrize("pipelining", [True, False])
def test_groups_of_commands(
    relay: ScriptedRelay, connected: Callable[[], Connection], *, pipelining: bool
) -> None:
    """Each reply belongs to its command, sent together or not."""
    relay.features = EVERYTHING if pipelining else ()
    connection = connected()
    relay.answers["NOOP"].extend(b"250 %d\r\n" % number for number in range(120))
    found = list(connection.commands([b"NOOP"] * 120))
    assert [answer.text for answer in found] == [str(number) for number in range(120)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"starttls": True}, "STARTTLS"),
        ({"username": "u", "password": "p"}, "AUTH"),
        ({"ssl": True}, ""),
    ],
)
def test_no_session_without_what_was_asked_for(
    relay: ScriptedRelay, fields: dict[str, object], reason: str
) -> None:
    """A relay that offers no TLS, or no AUTH, gets no mail in the clear instead."""
    for name, value in fields.items():
        setattr(relay, name, value)
    relay.answers["connect"].append(b"220 plain text\r\n")
    with pytest.raises(RelayError, match=rf"no session with 127\.0\.0\.1.*{reason}"):
        Connection(relay, Destination("", "127.0.0.1", relay.port), QUICK, "here.example")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, *_CERTIFICATE.split()],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize("fields", [{"ssl": True}, {"starttls": True}])
def test_encrypted(
    relay: ScriptedRelay,
    connected: Callable[[], Connection],
    certificate: ssl.SSLContext,
    fields: dict[str, bool],
) -> None:
    """From the start, or after STARTTLS; and the records can say how."""
    relay.tls = certificate
    for name, value in fields.items():
        setattr(relay, name, value)
    relay.features = (*EVERYTHING, "STARTTLS", "AUTH PLAIN")
    relay.username, relay.password = "user", "secret"
    relay.answers["AUTH"].append(b"235 2.7.0 welcome\r\n")
    connection = connected()
    assert connection.command(b"NOOP").code == 250
    assert connection.tls["tls_protocol_version"].startswith("TLSv1.")
    assert connection.tls["tls_cipher"]
    assert any(command.startswith(b"AUTH PLAIN ") for command in relay.commands)


def test_password_that_is_refused(relay: ScriptedRelay) -> None:
    """No session; it may be mended by tomorrow."""
    relay.features = ("AUTH PLAIN",)
    relay.username, relay.password = "user", "wrong"
    relay.answers["AUTH"].append(b"535 5.7.8 no\r\n")
    with pytest.raises(RelayError, match=r"535 5\.7\.8 no"):
        Connection(relay, Destination("", "127.0.0.1", relay.port), QUICK, "here.example")


def test_nobody_listens() -> None:
    """The reason names the server."""
    port = free_port()
    with pytest.raises(RelayError, match=rf"127\.0\.0\.1:{port}.*refused"):
        Connection(ScriptedRelay(port=port), Destination("", "127.0.0.1", port), QUICK, "h")


def test_closed_politely(relay: ScriptedRelay, connected: Callable[[], Connection]) -> None:
    """QUIT is said (RFC 5321, 4.1.1.10), once."""
    connection = connected()
    connection.close()
    connection.close()
    assert relay.commands[-1] == b"QUIT"
    assert relay.commands.count(b"QUIT") == 1
    with pytest.raises(RelayError):
        connection.command(b"NOOP")

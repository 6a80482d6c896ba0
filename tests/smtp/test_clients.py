"""Clients that others wrote: Python's own, and swaks where it is installed."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import smtplib
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.smtp import guesses

if TYPE_CHECKING:
    from pathlib import Path

    from kumo_handlers.mail.session import Session
    from kumo_handlers.smtp.credentials import Credentials, Identities
    from kumo_handlers.smtp.server import Server
    from tests.smtp.conftest import Identify, ScriptedBackend, Serving

SWAKS = shutil.which("swaks")
needs_swaks = pytest.mark.skipif(SWAKS is None, reason="swaks is not installed")
MESSAGE = "Subject: hello\r\n\r\n.a line\r\n"


async def test_aiosmtplib(
    scripted_backend: type[ScriptedBackend], serving: Serving, loop_name: str
) -> None:
    """A client of asyncio, over TLS, on the loop of the listener."""
    aiosmtplib = pytest.importorskip("aiosmtplib")
    backend = scripted_backend()
    async with serving(backend) as server:
        client = aiosmtplib.SMTP(
            hostname=server.sockname.host,
            port=server.sockname.port,
            start_tls=True,
            validate_certs=False,
        )
        async with client:
            for _ in range(2):
                refused, _ = await client.sendmail(
                    "a@b.example", ["c@d.example", "refused@d.example"], MESSAGE.encode()
                )
                assert list(refused) == ["refused@d.example"], loop_name
    assert [content for _, content in backend.messages] == [MESSAGE.encode()] * 2


class Gate:
    """An authenticator; ``broken`` cannot be asked."""

    def __init__(self, identify: Identify) -> None:
        self.identify = identify
        self.asked: list[str] = []

    async def authenticate(self, session: Session, given: Credentials) -> Identities | None:
        """Everybody's password is ``secret``."""
        assert session.client_name
        self.asked.append(given.mechanism)
        if given.authn_id == "broken":
            raise RuntimeError("the reason why")
        return self.identify(given)


@pytest.fixture
def gate(identify: Identify, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """An authenticator, and guessers that wait less than they would have to."""
    monkeypatch.setattr(guesses, "FIRST_DELAY", 0.01)
    return Gate(identify)


def log_in(server: Server, name: str, passwords: list[str]) -> list[int]:
    """The replies to one AUTH after another."""
    peer, codes = server.sockname, []
    with smtplib.SMTP(peer.host, peer.port, local_hostname="client.test", timeout=5) as client:
        client.ehlo()
        for number, password in enumerate(passwords):
            client.user, client.password = name, password
            method = client.auth_login if number % 2 else client.auth_plain
            mechanism = "LOGIN" if number % 2 else "PLAIN"
            try:
                codes.append(client.auth(mechanism, method)[0])
            except smtplib.SMTPException as error:
                codes.append(getattr(error, "smtp_code", 0))
    return codes


async def test_auth(
    scripted_backend: type[ScriptedBackend],
    serving: Serving,
    gate: Gate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The right password opens, the wrong one does not, and neither is written anywhere."""
    backend = scripted_backend()
    async with serving(backend, gate) as server:
        assert await asyncio.to_thread(log_in, server, "user", ["wrong", "wrong2"]) == [535, 535]
        assert "Credentials(PLAIN, 'user') of 127.0.0.1: 535 5.7.8" in caplog.text
        assert await asyncio.to_thread(log_in, server, "user", ["wrong", "secret"]) == [535, 235]
        assert await asyncio.to_thread(log_in, server, "broken", ["secret"]) == [454]
    assert gate.asked == ["PLAIN", "LOGIN", "PLAIN", "LOGIN", "PLAIN"]
    authenticated = [session for session in backend.closed_sessions if session.authn_id]
    assert [(session.authz_id, session.protocol) for session in authenticated] == [
        ("user", "ESMTPA")
    ]
    assert "the reason why" in caplog.text
    assert "'user'" in caplog.text
    assert not re.search("wrong|secret", caplog.text)


async def test_a_guesser_is_not_heard_any_more(
    scripted_backend: type[ScriptedBackend],
    serving: Serving,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """New connections do not give an address new guesses."""
    monkeypatch.setattr(guesses, "MAX_GUESSES", 4)
    async with serving(scripted_backend(), gate) as server:
        for _ in range(2):
            await asyncio.to_thread(log_in, server, "user", ["one", "two"])
        assert await asyncio.to_thread(log_in, server, "user", ["secret"]) == [454]
    assert len(gate.asked) == 4


async def test_a_failure_is_no_guess(
    scripted_backend: type[ScriptedBackend],
    serving: Serving,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While nobody can be asked for a password, none is wrong."""
    monkeypatch.setattr(guesses, "MAX_GUESSES", 2)
    async with serving(scripted_backend(), gate) as server:
        for _ in range(2):
            assert await asyncio.to_thread(log_in, server, "broken", ["one", "two"]) == [454, 454]
        assert await asyncio.to_thread(log_in, server, "user", ["secret"]) == [235]


def deliver(server: Server, path: str) -> dict[str, tuple[int, bytes]]:
    """Deliver by LMTP; Python's client reads the reply of one recipient only."""
    host, port = (path, 0) if path else (server.sockname.host, server.sockname.port)
    with smtplib.LMTP(host, port, local_hostname="client.test") as client:
        return client.sendmail("a@b.example", ["refused@d.example", "two@d.example"], MESSAGE)


@pytest.mark.parametrize("unix", [False, True])
async def test_lmtp(
    unix: bool,  # noqa: FBT001 - a parameter of the test
    scripted_backend: type[ScriptedBackend],
    serving: Serving,
    tmp_path: Path,
) -> None:
    """Python's LMTP client, over TCP and over a Unix socket."""
    backend = scripted_backend()
    path = str(tmp_path / "lmtp") if unix else ""
    listen = f"unix:{path}" if unix else "127.0.0.1:0"
    async with serving(backend, protocol="lmtp", listen=listen) as server:
        refused = await asyncio.to_thread(deliver, server, path)
    assert list(refused) == ["refused@d.example"]
    ((transaction, content),) = backend.messages
    assert content == MESSAGE.encode()
    assert transaction.session.protocol == "LMTP"
    assert transaction.session.peer.host == ("" if unix else "127.0.0.1")
    assert [str(path) for path in transaction.envelope.forward_paths] == ["two@d.example"]
    assert not os.listdir(tmp_path)  # noqa: PTH208 - it is empty


async def test_socket_of_a_listener_that_was_killed(
    scripted_backend: type[ScriptedBackend], serving: Serving, tmp_path: Path
) -> None:
    """A socket that nobody answers is replaced; one that is in use is left alone."""
    listen = f"unix:{tmp_path / 'lmtp'}"
    async with serving(scripted_backend(), listen=listen) as first:
        with pytest.raises(Exception, match="in use"):
            async with serving(scripted_backend(), listen=listen):
                pass
        first._server.close()
        async with serving(scripted_backend(), listen=listen):
            pass


async def swaks(server: Server, *arguments: str) -> str:
    """Run swaks; what it said and heard."""
    command = (
        str(SWAKS),
        *("--server", f"{server.sockname.host}:{server.sockname.port}"),
        *("--from", "a@b.example", "--to", "c@d.example", "--helo", "client.test"),
        *("--timeout", "5", *arguments),
    )
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()
    return said.decode()


@needs_swaks
@pytest.mark.parametrize(
    ("arguments", "options", "protocol"),
    [
        ([], {}, "ESMTP"),
        (["--protocol", "SMTP"], {}, "SMTP"),
        (["--pipeline"], {}, "ESMTP"),
        (["--tls"], {}, "ESMTPS"),
        (["--tls", "--auth", "PLAIN", "-au", "u", "-ap", "secret"], {}, "ESMTPSA"),
        (["--auth", "LOGIN", "-au", "u", "-ap", "secret"], {}, "ESMTPA"),
        (["--protocol", "LMTP"], {"protocol": "lmtp"}, "LMTP"),
    ],
)
async def test_swaks(
    arguments: list[str],
    options: dict[str, object],
    protocol: str,
    scripted_backend: type[ScriptedBackend],
    serving: Serving,
    gate: Gate,
) -> None:
    """Plain, pipelined, encrypted, authenticated, LMTP."""
    backend = scripted_backend()
    async with serving(backend, gate, **options) as server:
        await swaks(server, *arguments)
    ((transaction, _),) = backend.messages
    assert transaction.session.protocol == protocol


@needs_swaks
@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (
            ["--xclient", "ADDR=203.0.113.5 PORT=4321"],
            {"peer": {"127.0.0.1": {"allow_xclient": True}}},
        ),
        (
            ["--proxy", "TCP4 203.0.113.5 198.51.100.1 4321 25", "--proxy-version", "1"],
            {"require_proxy_protocol": True},
        ),
        (
            [
                *(
                    "--proxy-version",
                    "2",
                    "--proxy-family",
                    "AF_INET",
                    "--proxy-protocol",
                    "STREAM",
                ),
                *("--proxy-command", "PROXY", "--proxy-source", "203.0.113.5"),
                *("--proxy-source-port", "4321", "--proxy-dest", "198.51.100.1"),
                *("--proxy-dest-port", "25"),
            ],
            {"require_proxy_protocol": True},
        ),
    ],
)
async def test_swaks_for_another(
    arguments: list[str],
    options: dict[str, object],
    scripted_backend: type[ScriptedBackend],
    serving: Serving,
) -> None:
    """XCLIENT and PROXY: the client is whom the proxy says."""
    backend = scripted_backend()
    async with serving(backend, **options) as server:
        await swaks(server, *arguments)
    ((transaction, _),) = backend.messages
    assert str(transaction.session.peer) == "203.0.113.5:4321"

"""Sessions over real sockets, many of them open at once: none has anything of another's."""

from __future__ import annotations

import random
import socket
from base64 import b64encode
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.proofs.paths import FORWARD_PATHS, REVERSE_PATHS
from tests.proofs.rules import RULES
from tests.proofs.situations import SITUATIONS, Situation, expected
from tests.proofs.wire import login, proxy_header, xclient

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.pipeline.receiver import Receiver

LISTENERS: list[dict[str, Any]] = [
    {
        "listen": "127.0.0.1:0",
        "hostname": "mx.test",
        "relay_hosts": ["10.9.0.0/16"],
        "allow_auth_without_tls": True,
        "peer": {"127.0.0.1/32": {option: True}},
    }
    for option in ("allow_xclient", "require_proxy_protocol")
]
# What a function of the app's can say yes to, at once; each "no" would cost a second.
NAMES = (None, "ann", "bob", "ANN", "Ann Müller")
SENDERS = [path for path in REVERSE_PATHS if path.domain is not None]


class Client:
    """A client of the loopback."""

    def __init__(self, port: int, before: bytes = b"") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.sendall(before)
        self._file = self._socket.makefile("rb")
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def say(self, command: str) -> str:
        """The last line of the reply to a command."""
        self._socket.sendall(f"{command}\r\n".encode())
        return self._read()

    def _read(self) -> str:
        while (line := self._file.readline().decode("ascii"))[3:4] == "-":
            pass
        return line.removesuffix("\r\n")


@pytest.fixture
def receiver(start: Callable[..., Any]) -> Receiver:
    """The app."""
    app = start(RULES["sections"], listeners=LISTENERS, authenticate=is_right)
    receiver: Receiver = app.receiver
    return receiver


def is_right(_name: str, password: str) -> bool:
    """Everybody has the same password."""
    return password == "right"  # noqa: S105 - no more than that


def meet(receiver: Receiver, situation: Situation) -> Client:
    """A client up to where it may say MAIL."""
    address, local = situation.peer[0], situation.local
    if situation.way == "XCLIENT":
        client = Client(receiver.addresses[0].port)
        client.say(xclient(address, local))
    else:
        header = proxy_header(situation.way, address, local)
        client = Client(receiver.addresses[1].port, header)
    client.say("EHLO client.example")
    for command in login(situation.login[0]):
        assert client.say(command).startswith("235 ")
    return client


def test_many_sessions(receiver: Receiver) -> None:
    """Two hundred at once, their commands in turn; each is told what the oracle says."""
    chance = random.Random(5)  # noqa: S311 - a choice, no secret
    fit = [
        situation
        for situation in SITUATIONS
        if situation.way in ("XCLIENT", "PROXY 1", "PROXY 2") and situation.login[0] in NAMES
    ]
    with ExitStack() as stack:
        sessions = [
            (situation, stack.enter_context(meet(receiver, situation)), chance.choice(SENDERS))
            for situation in chance.sample(fit, 200)
        ]
        for _, client, sender in sessions:
            assert client.say(f"MAIL FROM:<{sender.text}> SMTPUTF8").startswith("250 ")
        for _ in range(5):
            for situation, client, sender in sessions:
                to = chance.choice(FORWARD_PATHS)
                wanted = expected(RULES["sections"], LISTENERS[0], situation, sender, to)
                reply = client.say(f"RCPT TO:<{to.text}>")
                assert reply == wanted or (wanted == "5" == reply[0]), (situation, sender, to)


def test_two_sessions_of_one_address(receiver: Receiver) -> None:
    """Who authenticated may relay; beside it, before and after it, the same address may not."""
    port = receiver.addresses[0].port
    token = b64encode(b"\0ann\0right").decode()
    with Client(port) as stranger, Client(port) as ann:
        for client in (stranger, ann):
            client.say("EHLO client.example")
        assert ann.say(f"AUTH PLAIN {token}").startswith("235 ")
        for _ in range(3):
            for client, code in ((ann, "250"), (stranger, "550"), (ann, "250")):
                assert client.say("MAIL FROM:<x@auth.example>").startswith("250 ")
                assert client.say("RCPT TO:<y@far.example>").startswith(code)
                client.say("RSET")
        assert ann.say("EHLO again.example").startswith("250 ")
        ann.say("MAIL FROM:<x@auth.example>")
        assert ann.say("RCPT TO:<y@far.example>").startswith("250")
        ann.say("QUIT")
        stranger.say("MAIL FROM:<x@auth.example>")
        assert stranger.say("RCPT TO:<y@far.example>").startswith("550 5.7.1 relaying")
    with Client(port) as late:
        late.say("EHLO client.example")
        late.say("MAIL FROM:<x@auth.example>")
        assert late.say("RCPT TO:<y@far.example>").startswith("550 5.7.1 relaying")

"""A client without a network: what it sends goes through the state machine to the real intake."""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from typing import TYPE_CHECKING, Any, cast

from kumo_handlers.mail.session import Session
from kumo_handlers.pipeline.installation import Installation
from kumo_handlers.pipeline.intake import Intake
from kumo_handlers.pipeline.settings import Settings
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Place
from kumo_handlers.reports import classification
from kumo_handlers.smtp import peername, replies
from kumo_handlers.smtp.answers import Answers
from kumo_handlers.smtp.credentials import Identities
from kumo_handlers.smtp.events import Authenticate
from kumo_handlers.smtp.guesses import Guesses
from kumo_handlers.smtp.protocol import Connection
from kumo_handlers.testing.recording import Notebook

from .rules import PROXY, XCLIENT_PROXY

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.policy.base import Policy

    from .situations import Situation


class Wire:
    """A client without a network: the state machine, the real intake, a notebook for a disk."""

    def __init__(self, listener: Listener, intake: Intake, peer: str, local: str) -> None:
        name = (peer, 40001) if peer else ""
        session = Session("s", peername.read(name), listener.listen, local, "mx.test", meta={})
        self._connection = Connection(listener, session, offers=frozenset(("AUTH",)))
        self._answers = Answers(self._connection, intake, None, Guesses())

    def send(self, *lines: str) -> list[str]:
        """Send lines together; the last line of each reply."""
        self.send_octets("".join(f"{line}\r\n" for line in lines).encode())
        said = self._connection.take_output().decode("ascii").split("\r\n")
        assert said.pop() == ""
        return [line for line in said if line[3] == " "]

    def send_octets(self, octets: bytes) -> None:
        """Send octets, and have all events answered."""
        self._connection.receive(octets)
        while (event := self._connection.next_event()) is not None:
            if isinstance(event, Authenticate):
                self._connection.answer(event, _identify(event))
            else:
                assert self._answers.put(event) is None


def _identify(event: Authenticate) -> Identities | Reply:
    given = event.credentials
    if given.password != "right":  # noqa: S105 - the test's own
        return replies.BAD_CREDENTIALS
    return Identities(given.authz_id or given.authn_id, given.authn_id)


class House:
    """One listener and the rules behind it."""

    def __init__(self, policy: Policy, listener: dict[str, Any], threads: Executor) -> None:
        self.notebook = Notebook()
        installed = Installation(
            Settings.read({"listener_domains": []}),
            policy,
            classification.default(),
            lambda _: (cast("Any", self.notebook), lambda: None),
        )
        self._listener = Listener.read(listener, Place())
        self._intake = Intake(self._listener, installed, threads)

    def meet(self, situation: Situation) -> Wire:
        """A client, up to where it may say MAIL."""
        address, local = situation.peer[0], situation.local
        hello = ["EHLO client.example", *login(situation.login[0])]
        match situation.way:
            case "PROXY 1" | "PROXY 2":
                wire = self._wire(PROXY, "203.0.113.200:25")
                wire.send_octets(proxy_header(situation.way, address, local))
                wire.send(*hello)
            case "XCLIENT" | "AUTH, XCLIENT":
                wire = self._wire(XCLIENT_PROXY, "203.0.113.200:25")
                before = login("ann") if situation.way == "AUTH, XCLIENT" else []
                wire.send("EHLO proxy.example", *before, xclient(address, local), *hello)
            case "XFORWARD":
                wire = self._wire(XCLIENT_PROXY, local)
                wire.send(*hello, f"XFORWARD ADDR={_attribute(address)} PORT=40001")
            case "direct":
                wire = self._wire(address, local)
                wire.send(*hello)
            case _:
                wire = self._wire(address, local)
                verb = situation.way.split()[1]
                refused = wire.send(*hello, f"{verb} ADDR=127.0.0.1 PORT=1")[-1]
                assert refused.startswith("550 "), situation
        return wire

    def _wire(self, peer: str, local: str) -> Wire:
        return Wire(self._listener, self._intake, peer, local)


def login(name: str | None) -> list[str]:
    """AUTH as `Situation` says it, or nothing."""
    if name is None:
        return []
    authn, _, authz = name.partition(" as ")
    password = "wrong" if name == "wrong" else "right"
    token = b64encode(f"{authz}\0{authn}\0{password}".encode()).decode()
    return [f"AUTH PLAIN {token}"]


def _attribute(address: str) -> str:
    if not address:
        return "[UNAVAILABLE]"
    return f"IPV6:{address}" if ":" in address else address


def xclient(address: str, local: str) -> str:
    """XCLIENT for a client at ``address`` that connected to ``local``."""
    host, _, port = local.rpartition(":")
    destination = f"DESTADDR={_attribute(host.strip('[]'))} DESTPORT={port}"
    return f"XCLIENT ADDR={_attribute(address)} PORT=40001 {destination}"


def proxy_header(way: str, address: str, local: str) -> bytes:
    """A PROXY header for such a client, of version 1 or 2."""
    host, _, port = local.rpartition(":")
    ends = [_long(address), _long(host.strip("[]"))]
    if way == "PROXY 1":
        return f"PROXY TCP6 {ends[0]} {ends[1]} 40001 {port}\r\n".encode()
    octets = b"".join(ipaddress.IPv6Address(end).packed for end in ends)
    octets += (40001).to_bytes(2) + int(port).to_bytes(2)
    start = b"\r\n\r\n\x00\r\nQUIT\n\x21\x21"
    return start + len(octets).to_bytes(2) + octets


def _long(address: str) -> str:
    return address if ":" in address else f"::ffff:{address}"

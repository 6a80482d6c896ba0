"""A server to relay to that does as it is told: accepts, refuses, hangs, drops the line.

``answers[STAGE]`` are used up in order, then everything is accepted. Stages are ``connect``, the
verbs, and ``.`` for the end of the message. An answer is what is sent, or `HANG` or `DROP`; one
that ends in `DROP` is sent before the line is dropped.
"""

from __future__ import annotations

import socket
import threading
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import BinaryIO

HANG = b"<hang>"
DROP = b"<drop>"
EVERYTHING = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8")


@dataclass
class Received:
    """One message as it arrived, its dots unstuffed. ``answer`` is what we said to it."""

    mail: bytes
    recipients: list[bytes]
    content: bytes = b""
    answer: bytes = b""


@dataclass
class ScriptedRelay:
    """Listens on a free port of the loopback. Has the attributes of a `salmon.server.Relay`."""

    features: tuple[str, ...] = EVERYTHING
    lmtp: bool = False
    hostname: str | None = "127.0.0.1"
    port: int = 0
    ssl: bool = False
    starttls: bool = False
    username: str | None = None
    password: str | None = None
    tls: SSLContext | None = None
    choose: Callable[[str], bytes | None] = lambda _: None
    answers: dict[str, deque[bytes]] = field(default_factory=lambda: defaultdict(deque))
    received: list[Received] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0

    def start(self) -> ScriptedRelay:
        """Listen from now on."""
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close everything at once."""
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for client in tuple(self._open):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def resolve_relay_host(self, To: str) -> str:  # noqa: ARG002, N803 - Salmon's name
        """Everybody's mail exchanger is here."""
        return "127.0.0.1"

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ssl and self.tls:
            client = self.tls.wrap_socket(client, server_side=True)
        with client, client.makefile("rb") as file, suppress(OSError):
            if self._answer(client, "connect", b"220 scripted.example ESMTP\r\n"):
                self._session(client, file)
        self._open.discard(client)

    def _session(self, client: socket.socket, file: BinaryIO) -> None:
        message = Received(b"", [])
        while line := file.readline():
            command = line.rstrip(b"\r\n")
            self.commands.append(command)
            verb = command[:4].decode("ascii", "replace").upper()
            if verb == "MAIL":
                message = Received(command, [])
            if verb == "DATA":
                if self._data(client, file, message):
                    continue
                return
            if verb == "STAR" and self.tls:
                self._say(client, b"220 go on\r\n")
                with self.tls.wrap_socket(client, server_side=True) as encrypted:
                    self._session(encrypted, encrypted.makefile("rb"))
                return
            answer = self._next(verb) or self._usual(verb)
            if verb == "RCPT" and answer.startswith(b"2"):
                message.recipients.append(command)
            if not self._say(client, answer) or verb == "QUIT":
                return

    def _usual(self, verb: str) -> bytes:
        if verb in ("EHLO", "LHLO"):
            lines = ("scripted.example", *self.features)
            return b"".join(
                b"250%s%s\r\n" % (b" " if line == lines[-1] else b"-", line.encode())
                for line in lines
            )
        return b"221 2.0.0 bye\r\n" if verb == "QUIT" else b"250 2.0.0 ok\r\n"

    def _data(self, client: socket.socket, file: BinaryIO, message: Received) -> bool:
        answer = self._next("DATA") or b"354 go on\r\n"
        if not self._say(client, answer):
            return False
        if not answer.startswith(b"354"):
            return True
        lines = []
        while (line := _line(file)) != b".\r\n":
            if not line:
                return False
            lines.append(line.removeprefix(b"."))
        for _ in message.recipients if self.lmtp else (None,):
            received = Received(message.mail, list(message.recipients), b"".join(lines))
            received.answer = self._next(".") or b"250 2.0.0 queued\r\n"
            self.received.append(received)
            if not self._say(client, received.answer):
                return False
        return True

    def _answer(self, client: socket.socket, stage: str, usual: bytes) -> bool:
        return self._say(client, self._next(stage) or usual)

    def _next(self, stage: str) -> bytes | None:
        waiting = self.answers[stage]
        return waiting.popleft() if waiting else self.choose(stage)

    def _say(self, client: socket.socket, answer: bytes) -> bool:
        """Whether the session goes on."""
        if answer.endswith(DROP):
            client.sendall(answer.removesuffix(DROP))
            return False
        if answer == HANG:
            self._over.wait(30)
            return False
        client.sendall(answer)
        return not answer.startswith(b"421")


def _line(file: BinaryIO) -> bytes:
    """Up to CRLF, and to nothing less (RFC 5321, 2.3.8); empty where the client is gone."""
    line = b""
    while not line.endswith(b"\r\n"):
        more = file.readline()
        if not more:
            return b""
        line += more
    return line

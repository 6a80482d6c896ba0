"""A client's end of an SMTP connection, byte by byte: what a library would never send."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

TIMEOUT = 10.0
NAME = "selftest.invalid"  # RFC 2606, 2: nobody has it


class Target(NamedTuple):
    """Whom to ask, and from which address; ``""`` is any."""

    host: str
    port: int
    source: str = ""

    @property
    def source_address(self) -> tuple[str, int] | None:
        """As sockets want it."""
        return (self.source, 0) if self.source else None


class Wire:
    """One connection, greeted already. Raises OSError where the server is not there, or gone."""

    def __init__(self, target: Target) -> None:
        self._socket = socket.create_connection(
            (target.host, target.port), TIMEOUT, target.source_address
        )
        self._file = self._socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._socket.close()

    @property
    def ends(self) -> tuple[str, str]:
        """Our address and the server's, ``IP`` and ``IP:PORT``."""
        ours, theirs = self._socket.getsockname()[0], self._socket.getpeername()
        host = f"[{theirs[0]}]" if ":" in theirs[0] else theirs[0]
        return ours, f"{host}:{theirs[1]}"

    def send(self, octets: bytes) -> None:
        """Send, all in one go."""
        self._socket.sendall(octets)

    def reply(self) -> str:
        """The next reply, its lines joined (RFC 5321, 4.2)."""
        lines = []
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError("the connection ended without a reply")
            lines.append(line.rstrip(b"\r\n").decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    def ask(self, command: str) -> str:
        """Send a command; its reply."""
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def hello(self) -> None:
        """Begin the session, as LMTP where the server speaks that (RFC 2033, 4.1).

        Raises ConnectionError where it wants neither: whatever is refused after that means nothing.
        """
        reply = self.ask(f"EHLO {NAME}")
        if not accepts(reply) and not accepts(self.ask(f"LHLO {NAME}")):
            raise ConnectionError(f"EHLO is refused: {reply}")

    def rest(self) -> list[str]:
        """Every reply until the connection ends."""
        replies = []
        with suppress(OSError):
            while True:
                replies.append(self.reply())
        return replies

    def encrypt(self) -> None:
        """Begin TLS. Who is at the other end is not asked: that it works is what is tested."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)
        self._file = self._socket.makefile("rb")


def accepts(reply: str) -> bool:
    """Whether it is a positive completion."""
    return reply.startswith("2")

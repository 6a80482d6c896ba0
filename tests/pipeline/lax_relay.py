"""A server to relay to that takes a bare CR or LF for the end of a line, and drops NULs.

There are servers that do the one, and servers that do the other.

What it takes for commands and for messages is kept: what was smuggled to it is there.
"""

from __future__ import annotations

import re
import socketserver
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_REPLIES = {
    b"EHLO": b"250-lax.example\r\n250-8BITMIME\r\n250 SIZE 1000000",
    b"MAIL": b"250 ok",
    b"RCPT": b"250 ok",
    b"DATA": b"354 go on",
    b"RSET": b"250 ok",
    b"QUIT": b"221 bye",
}
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass
class Taken:
    """One message: the commands that led to it, and its content with lines ended by LF."""

    commands: list[bytes]
    content: bytes


@dataclass
class LaxRelay:
    """Listens on a free port of the loopback. Has the attributes of a `salmon.server.Relay`."""

    hostname: str = "127.0.0.1"
    port: int = 0
    ssl: bool = False
    starttls: bool = False
    lmtp: bool = False
    username: str | None = None
    password: str | None = None
    messages: list[Taken] = field(default_factory=list)
    unknown: list[bytes] = field(default_factory=list)
    """Lines in the place of commands that are none."""

    def start(self) -> LaxRelay:
        """Listen from now on."""
        house = self

        class Session(socketserver.StreamRequestHandler):
            """One connection."""

            def handle(self) -> None:
                """Answer commands to the end."""
                house.converse(self)

        class Server(socketserver.ThreadingTCPServer):
            """A thread for each connection."""

            daemon_threads = True
            block_on_close = False

        self._server = Server((self.hostname, 0), Session)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def converse(self, session: socketserver.StreamRequestHandler) -> None:
        """One connection, line by line."""
        session.wfile.write(b"220 lax.example\r\n")
        commands: list[bytes] = []
        lines = _lines(session)
        for line in lines:
            verb = line[:4].upper()
            if verb not in _REPLIES:
                self.unknown.append(line)
            session.wfile.write(_REPLIES.get(verb, b"500 what") + b"\r\n")
            commands.append(line)
            if verb == b"DATA":
                content = b"".join(part + b"\n" for part in iter(lambda: next(lines, b"."), b"."))
                self.messages.append(Taken(commands, content))
                commands = []
                session.wfile.write(b"250 taken\r\n")


def _lines(session: socketserver.StreamRequestHandler) -> Iterator[bytes]:
    """Lines without their ends, as soon as an end is there."""
    rest, after_cr = b"", False
    while received := session.request.recv(65536):
        octets = received.replace(b"\0", b"")
        if not octets:
            continue
        # the LF of a CRLF that was cut
        rest += octets[1:] if after_cr and octets[:1] == b"\n" else octets
        after_cr = octets.endswith(b"\r")
        *lines, rest = _LINE_END.split(rest)
        yield from lines

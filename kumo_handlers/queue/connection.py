"""An open connection to a relay: commands as we write them, replies within limits.

smtplib begins the session (`greeting`). What follows is sent from here: it would quote addresses
and line ends its own way, and wait for a slow reply without end.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import RelayError
from kumo_handlers.mail import octets
from kumo_handlers.mail.reply import EnhancedStatusCode, Reply
from kumo_handlers.queue import greeting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kumo_handlers.queue.destination import Destination, Relay
    from kumo_handlers.queue.greeting import Timeouts

_MAX_LINE = 2048  # RFC 5321, 4.5.3.1.5 says 512; real ones are longer
_MAX_LINES = 100
_GROUP = 50  # commands sent before their replies are read: few enough for any socket buffer
_NOTHING = (BlockingIOError, ssl.SSLWantReadError)  # is there to be read at this moment
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)


class Connection:
    """One session with a relay, good for several transactions. Raises `RelayError` throughout.

    ``transactions`` counts those that were begun; ``features`` are the extensions offered.
    """

    def __init__(
        self, relay: Relay, destination: Destination, timeouts: Timeouts, ehlo_name: str
    ) -> None:
        self.destination = destination
        self.timeouts = timeouts
        self.protocol = "LMTP" if relay.lmtp else "ESMTP"
        self.session_id = str(uuid.uuid4())
        self.transactions = 0
        self.is_open = True
        smtp = greeting.begin(relay, destination, timeouts, ehlo_name)
        self.features: dict[str, str] = smtp.esmtp_features
        if smtp.sock is None:
            raise RelayError(f"no session with {destination.site}: it was closed")
        self._sock = smtp.sock
        self._received = bytearray()
        if smtp.file is not None:
            smtp.file.close()  # nothing is left in it: every reply was read
        if self._sock.family != socket.AF_UNIX:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer, self.source = _addresses(self._sock)
        self.tls = _tls(self._sock)

    def command(self, line: bytes) -> Reply:
        """Send one command, and read its reply."""
        (reply,) = self.commands([line])
        return reply

    def commands(self, lines: Sequence[bytes]) -> Iterator[Reply]:
        """Send commands whose replies do not matter to the next ones (RFC 2920, 3.1).

        Each reply is given as it comes: a server that refuses may be gone before the next one.
        """
        step = _GROUP if "pipelining" in self.features else 1
        for first in range(0, len(lines), step):
            group = lines[first : first + step]
            self.require_silence()
            self.send(b"".join(line + b"\r\n" for line in group), self.timeouts.command)
            for _ in group:
                yield self.reply(self.timeouts.command)

    def require_silence(self) -> None:
        """What nobody asked for would be taken for the answer to what is asked next."""
        with suppress(*_NOTHING):
            said = bytes(self._received) or self._receive(0.0)
            raise RelayError(f"the server said what nobody asked for: {said[:80]!r}")

    def send(self, octets: bytes, timeout: float) -> None:
        """Send as it stands."""
        try:
            self._sock.settimeout(timeout)
            self._sock.sendall(octets)
        except OSError as error:
            raise RelayError(f"the connection broke: {error}") from error

    def reply(self, timeout: float) -> Reply:
        """Read one reply, which has to be whole after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        lines: list[bytes] = []
        while len(lines) < _MAX_LINES:
            code, goes_on, text = self._reply_line(end)
            lines.append(text)
            if not goes_on:
                return _reply(code, lines)
        raise RelayError("a reply without end")

    def _reply_line(self, end: float) -> tuple[int, bool, bytes]:
        line = self._line(end)
        found = _REPLY_LINE.match(line.rstrip(b"\r\n"))
        if found is None:
            raise RelayError(f"the reply is none: {line[:80]!r}")
        return int(found[1]), found[2] == b"-", found[3] or b""

    def _line(self, end: float) -> bytes:
        """Up to the next line feed, whatever slowness it comes with."""
        while (length := self._received.find(b"\n") + 1) == 0 and len(self._received) < _MAX_LINE:
            self._received += self._receive(max(end - time.monotonic(), 0.001))
        line = bytes(self._received[: length or _MAX_LINE])
        del self._received[: len(line)]
        if not length:
            raise RelayError(f"the reply is none: {line[:80]!r}")
        return line

    def _receive(self, timeout: float) -> bytes:
        """What there is after ``timeout`` seconds at most; with 0, `_NOTHING` is raised, too."""
        try:
            self._sock.settimeout(timeout)
            received = self._sock.recv(_MAX_LINE)
        except TimeoutError as error:
            raise RelayError("no reply in time") from error
        except _NOTHING:
            raise
        except OSError as error:
            raise RelayError(f"the connection broke: {error}") from error
        if not received:
            raise RelayError("the connection was closed")
        return received

    def break_off(self) -> None:
        """Make whoever waits for a reply stop waiting. From another thread."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self, *, politely: bool = True) -> None:
        """Say QUIT where it will be heard, and let go."""
        if politely and self.is_open:
            with suppress(RelayError):
                self.send(b"QUIT\r\n", 1.0)
                self.reply(1.0)
        self.is_open = False
        with suppress(OSError):
            self._sock.close()


def _reply(code: int, lines: Sequence[bytes]) -> Reply:
    """The reply, with an enhanced status taken from its text (RFC 2034, 4)."""
    texts = [octets.to_text(line) for line in lines]
    status = EnhancedStatusCode.find(texts[0])
    if status is not None:
        texts = [text.removeprefix(str(status)).lstrip() for text in texts]
    return Reply(code, "\n".join(texts), status)


def _addresses(sock: socket.socket) -> tuple[str, str]:
    """The IP of the relay, and the one we came from; empty for a Unix socket."""
    if sock.family == socket.AF_UNIX:
        return "", ""
    return sock.getpeername()[0], sock.getsockname()[0]


def _tls(sock: socket.socket) -> dict[str, Any]:
    """What records say about an encrypted session."""
    if not isinstance(sock, ssl.SSLSocket):
        return {}
    cipher = sock.cipher()
    return {
        "tls_cipher": cipher[0] if cipher else "",
        "tls_protocol_version": sock.version() or "",
    }

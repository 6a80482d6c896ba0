"""A session with a relay begun: greeting, EHLO, TLS and AUTH, by smtplib, within a limit.

smtplib limits how long it waits for each piece of a reply. A server that sends one octet now and
then would hold it for days; so a clock of our own breaks the connection off when the beginning as
a whole takes too long.
"""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import RelayError

if TYPE_CHECKING:
    from typing import Self

    from kumo_handlers.queue.destination import Destination, Relay


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds. RFC 5321, 4.5.3.2 asks for 5 minutes a command, and 10 after the final dot.

    ``connect`` is for the connection, and for each piece of what follows up to AUTH; ``greeting``
    is for all of that together.
    """

    connect: float = 30.0
    greeting: float = 120.0
    command: float = 300.0
    final_dot: float = 600.0


class Clock:
    """Breaks off the connection it was shown last when the time is over."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._changing = threading.Lock()
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._changing:
            self._let_go()

    def watch(self, connection: socket.socket) -> None:
        """Break this one off; by a descriptor of our own, for TLS takes the other one over."""
        with self._changing:
            self._let_go()
            self._socket = connection.dup()
            if self.is_over:
                self._break_off()

    def _ring(self) -> None:
        with self._changing:
            self.is_over = True
            self._break_off()

    def _break_off(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Client(smtplib.SMTP):
    """smtplib's client, whose clock is shown the connection before a word is read from it."""

    clock: Clock
    _host: str

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """As smtplib's, which leaves this to classes like ours."""
        connection: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self.clock.watch(connection)
        return connection


class _TLSClient(smtplib.SMTP_SSL, _Client):
    """Likewise, encrypted from the first octet."""


class _LMTPClient(smtplib.LMTP, _Client):
    """Likewise, in LMTP (RFC 2033)."""


def begin(
    relay: Relay, destination: Destination, timeouts: Timeouts, ehlo_name: str
) -> smtplib.SMTP:
    """A greeted session. The refusal of a whole session may pass: it is never permanent.

    Raises `RelayError`.
    """
    kind = _TLSClient if relay.ssl else _LMTPClient if relay.lmtp else _Client
    client: _Client = kind(local_hostname=ehlo_name, timeout=timeouts.connect)
    with Clock(timeouts.greeting) as clock:
        client.clock = clock
        try:
            _greet(client, relay, destination)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            client.close()
            late = f"no session after {timeouts.greeting:g} s" if clock.is_over else _reason(error)
            raise RelayError(f"no session with {destination.site}: {late}") from error
    return client


def _greet(client: _Client, relay: Relay, destination: Destination) -> None:
    client._host = destination.host  # noqa: SLF001 - the name that TLS asks for (SNI); only smtplib's constructor would set it
    code, text = client.connect(destination.host, destination.port)
    if code != 220:  # noqa: PLR2004 - RFC 5321, 4.2: ready
        raise smtplib.SMTPConnectError(code, text)
    client.ehlo_or_helo_if_needed()
    if relay.starttls:
        client.starttls()
        client.ehlo_or_helo_if_needed()
    if relay.username and relay.password:
        client.login(relay.username, relay.password)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return f"{error.smtp_code} {said}"
    return str(error) or type(error).__name__

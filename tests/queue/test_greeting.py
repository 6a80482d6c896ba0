"""The beginning of a session with a relay, which has to be over some day."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import RelayError
from kumo_handlers.queue import greeting
from kumo_handlers.queue.destination import Destination
from kumo_handlers.queue.greeting import Timeouts

from .scripted_relay import ScriptedRelay

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 0.5
GREETED = b"220 slow.example ESMTP\r\n"
OFFERED = b"250-slow.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
# An octet of each comes soon enough for a limit on each octet.
ENDLESS = b"220-" + b"x" * 1000
A_HANDSHAKE = b"\x16\x03\x03\x40\x00" + b"\x02" * 1000


@contextmanager
def slow_relay(*said: bytes, **fields: object) -> Iterator[ScriptedRelay]:
    """A server that answers well, but with its last words an octet now and then."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client, suppress(OSError):
            for words in said[:-1]:
                client.sendall(words)
                client.recv(4096)
            for octet in said[-1]:
                client.sendall(bytes([octet]))
                if over.wait(0.05):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        relay = ScriptedRelay(port=listening.getsockname()[1])
        for name, value in fields.items():
            setattr(relay, name, value)
        yield relay
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ([ENDLESS], {}),
        ([ENDLESS], {"lmtp": True}),
        ([GREETED, ENDLESS], {}),
        ([A_HANDSHAKE], {"ssl": True}),
        ([GREETED, OFFERED, b"220 go on\r\n", A_HANDSHAKE], {"starttls": True}),
        ([GREETED, OFFERED, ENDLESS], {"username": "u", "password": "p"}),
    ],
    ids=["greeting", "LMTP", "EHLO", "TLS", "STARTTLS", "AUTH"],
)
def test_beginning_without_end(said: list[bytes], fields: dict[str, object]) -> None:
    """Each piece comes in time, and all of it does not: broken off, for another try."""
    timeouts = Timeouts(connect=10.0, greeting=LIMIT)
    begun = time.monotonic()
    with slow_relay(*said, **fields) as relay:
        destination = Destination("", "127.0.0.1", relay.port)
        with pytest.raises(RelayError, match=r"no session after 0\.5 s"):
            greeting.begin(relay, destination, timeouts, "here.example")
        assert LIMIT <= time.monotonic() - begun < 3 * LIMIT


def test_clock_that_is_late() -> None:
    """A connection that is made when the time is over is of no use any more."""
    ours, theirs = socket.socketpair()
    with ours, theirs, greeting.Clock(0.01) as clock:
        while not clock.is_over:
            time.sleep(0.01)
        clock.watch(ours)
        assert theirs.recv(1) == b""

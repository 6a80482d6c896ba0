"""Addresses of sockets."""

from __future__ import annotations

import pytest

from kumo_handlers.mail.session import Peer
from kumo_handlers.smtp import peername


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        (("192.0.2.1", 25), Peer("192.0.2.1", 25)),
        (("::ffff:192.0.2.1", 25, 0, 0), Peer("192.0.2.1", 25)),
        (("2001:DB8:0::1", 25, 0, 0), Peer("2001:db8::1", 25)),
        (("fe80::1%lo", 25, 0, 1), Peer("fe80::1", 25)),
        (("", 0), Peer("", 0)),
        ("/run/lmtp.sock", Peer("")),
        ("", Peer("")),
        (None, Peer("")),
    ],
)
def test_read(name: object, peer: Peer) -> None:
    """One spelling for one address, and no address for what has none."""
    assert peername.read(name) == peer

"""Peers, as replies and records name them."""

from __future__ import annotations

import pytest

from kumo_handlers.mail.session import Peer


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        (Peer("192.0.2.1", 25), "192.0.2.1:25"),
        (Peer("2001:db8::1", 25), "[2001:db8::1]:25"),
        (Peer(""), "an unknown peer"),
    ],
)
def test_a_peer_as_people_read_it(peer: Peer, shown: str) -> None:
    """IP:PORT, brackets around IPv6."""
    assert str(peer) == shown

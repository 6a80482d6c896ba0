"""The attributes of XCLIENT and XFORWARD."""

from __future__ import annotations

import pytest

from kumo_handlers.mail.session import Peer
from kumo_handlers.smtp import attributes

KNOWN = ("ADDR", "PORT")
BEFORE = Peer("192.0.2.1", 25)


@pytest.mark.parametrize(
    ("argument", "peer"),
    [
        ("ADDR=192.0.2.9 PORT=7", Peer("192.0.2.9", 7)),
        ("port=7 addr=192.0.2.9", Peer("192.0.2.9", 7)),
        ("ADDR=192.0.2.9", Peer("192.0.2.9", 0)),
        ("PORT=7", Peer("192.0.2.1", 7)),
        ("PORT=[UNAVAILABLE]", Peer("192.0.2.1", 0)),
        ("ADDR=IPv6:2001:DB8::1 PORT=7", Peer("2001:db8::1", 7)),
        ("ADDR=::ffff:192.0.2.9", Peer("192.0.2.9", 0)),
        ("ADDR=192.0.2.+39", Peer("192.0.2.9", 0)),
        ("ADDR=[TEMPUNAVAIL] PORT=7", Peer("", 7)),
        ("ADDR=[unavailable]", Peer("", 0)),
    ],
)
def test_peer(argument: str, peer: Peer) -> None:
    """What is said replaces what was known; an address that is not known is nobody's."""
    assert attributes.peer(attributes.read(argument, KNOWN), "ADDR", "PORT", BEFORE) == peer


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "ADDR",
        "ADDR=",
        "HELO=x",
        "ADDR=192.0.2.9 ADDR=192.0.2.8",
        "ADDR=localhost",
        "ADDR=192.0.2.9+0D+0AMAIL",
        "ADDR=192.0.2.0/24",
        "PORT=-1",
        "PORT=65536",
        "PORT=7x",
    ],
)
def test_nonsense(argument: str) -> None:
    """Everything else changes nothing."""
    with pytest.raises(ValueError):  # noqa: PT011 - the word that is wrong is all it says
        attributes.peer(attributes.read(argument, KNOWN), "ADDR", "PORT", BEFORE)

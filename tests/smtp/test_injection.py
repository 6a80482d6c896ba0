"""Injection: no octet of the client makes a second reply line, or rests in a value as a control."""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.smtp.conftest import Line

EVIL = ["\r", "\n", "\0", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u2029", "\r250 OK", "\n250 OK"]
PLACES = [
    "EHLO {}",
    "EHLO a{}b",
    "MAIL FROM:<a{}@b.example>",
    'MAIL FROM:<"a{}"@b.example>',
    "MAIL FROM:<a@b{}.example>",
    "MAIL FROM:<a@b.example> SIZE={}",
    "MAIL FROM:<a@b.example> {}=1",
    "MAIL FROM:<a{}@b.example> SMTPUTF8",
    "RCPT TO:<c{}@d.example>",
    "RCPT TO:<c@[{}]>",
    "NOOP {}",
    "VRFY {}",
    "HELP {}",
    "AUTH PLAIN {}",
    "AUTH {}",
    "XCLIENT ADDR={}",
    "XFORWARD ADDR=192.0.2.1 PORT={}",
    "BDAT {}",
    "STARTTLS {}",
    "{}",
    "QUIT{}",
]
REPLY_LINE = re.compile(rb"[2-5]\d\d[ -][\x20-\x7e]*")


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
@pytest.mark.parametrize("place", PLACES)
def test_one_command_one_reply(evil: str, place: str, line: type[Line]) -> None:
    """Wherever it stands, it is refused or harmless, and there is one reply."""
    wire = line(
        offers=frozenset(("AUTH",)),
        allow_auth_without_tls=True,
        peer={"192.0.2.7": {"allow_xclient": True}},
    )
    wire.send(b"EHLO x\r\n")
    if place.startswith(("RCPT", "BDAT")):
        wire.send(b"MAIL FROM:<a@b.example> SMTPUTF8\r\n")
    said = wire.send(place.format(evil).encode() + b"\r\n")
    lines = said.split(b"\r\n")
    assert lines.pop() == b""
    assert all(REPLY_LINE.fullmatch(each) for each in lines)
    codes = [each[:3] for each in lines]
    assert len(set(codes)) == 1
    assert not evil.isascii() or codes[0] >= b"500" or place.startswith(("NOOP", "VRFY", "HELP"))


@given(text=st.text(max_size=20))
def test_names_in_the_session_are_printable(text: str, line: type[Line]) -> None:
    """What goes into logs and records is of one line, whatever AUTH and EHLO brought."""
    wire = line(offers=frozenset(("AUTH",)), allow_auth_without_tls=True)
    wire.send(b"EHLO x\r\n", b"EHLO " + text.encode("utf-8", "replace") + b"\r\n")
    response = f"{text}\0{text}\0secret".encode("utf-8", "replace")
    wire.send(b"AUTH PLAIN " + base64.b64encode(response) + b"\r\n")
    session = wire.connection.session
    for name in (session.client_name, session.authn_id or "", session.authz_id or ""):
        assert name.isprintable()


@given(local=st.text(max_size=12), host=st.text(max_size=12))
def test_addresses_hold_no_control_characters(local: str, host: str, line: type[Line]) -> None:
    """An address that was accepted has none, not even of Unicode's."""
    wire = line()
    wire.send(b"EHLO x\r\n")
    path = f"{local}@{host}.example".encode("utf-8", "replace")
    wire.send(b"MAIL FROM:<" + path + b"> SMTPUTF8\r\n")
    if (transaction := wire.connection.transaction) is not None:
        written = str(transaction.envelope.reverse_path)
        assert not any(unicodedata.category(letter) in {"Cc", "Zl", "Zp"} for letter in written)

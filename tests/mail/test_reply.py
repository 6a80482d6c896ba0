"""Replies: one at a time on the wire, whatever is in their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import AddressError, PolicyError, StorageError, StorageFullError
from kumo_handlers.mail.reply import EnhancedStatusCode, Reply, of_error, reply


def test_one_line() -> None:
    """Code, enhanced code, text, CRLF."""
    answer = reply(550, "5.7.1", "relaying not permitted")
    assert answer.encode() == b"550 5.7.1 relaying not permitted\r\n"
    assert str(answer) == "550 5.7.1 relaying not permitted"


def test_several_lines() -> None:
    """All but the last have a hyphen (RFC 5321, 4.2.1)."""
    assert Reply(250, "one\ntwo").encode() == b"250-one\r\n250 two\r\n"


@given(st.text())
def test_no_text_makes_a_line_of_its_own(text: str) -> None:
    """Printable ASCII, each line with the code, none over 512 octets."""
    encoded = Reply(550, text).encode()
    assert encoded.endswith(b"\r\n")
    for line in encoded[:-2].split(b"\r\n"):
        assert line[:3] == b"550"
        assert all(0x20 <= octet < 0x7F for octet in line)
        assert len(line) <= 510


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.1.1", EnhancedStatusCode(5, 1, 1)),
        (" 5.7.26 not authenticated", EnhancedStatusCode(5, 7, 26)),
        ("4.4.7(expired)", EnhancedStatusCode(4, 4, 7)),
        ("3.1.1", None),
        ("5.1", None),
        ("5.1.1234", None),
        ("status 5.1.1", None),
    ],
)
def test_finding_an_enhanced_code(text: str, expected: EnhancedStatusCode | None) -> None:
    """Only one of class 2, 4 or 5, and only at the beginning (RFC 3463, 2)."""
    assert EnhancedStatusCode.find(text) == expected


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AddressError("secret"), 501),
        (PolicyError("secret"), 421),
        (StorageError("secret"), 451),
        (StorageFullError("secret"), 452),
        (ValueError("secret"), 451),
    ],
)
def test_an_error_becomes_its_reply(error: Exception, code: int) -> None:
    """The peer learns what to do, and nothing of the reason."""
    answer = of_error(error, "mx.example.com")
    assert answer.code == code
    assert "secret" not in answer.text
    assert not answer.accepts
    assert answer.closes is (code == 421)
    assert ("mx.example.com" in answer.text) is answer.closes

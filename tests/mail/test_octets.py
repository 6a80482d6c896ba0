"""Octets as text and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.mail import octets


@given(st.binary())
def test_any_octets_come_back(given: bytes) -> None:
    """What came in leaves as it came."""
    assert octets.of_text(octets.to_text(given)) == given


@given(st.text(st.characters(codec="utf-8")))
def test_text_is_utf8(text: str) -> None:
    """Without surrogates nothing is escaped."""
    assert octets.is_utf8(text)
    assert octets.of_text(text) == text.encode()


def test_what_is_escaped_is_no_utf8() -> None:
    """Latin-1 is told from UTF-8."""
    assert not octets.is_utf8(octets.to_text(b"caf\xe9"))


def test_a_lone_surrogate_has_octets() -> None:
    """It came out of JSON; it must not stop a record."""
    assert not octets.is_utf8("\ud800")
    assert octets.of_text("\ud800") == b"\xed\xa0\x80"

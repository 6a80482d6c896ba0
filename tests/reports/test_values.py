"""Values of report fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import values
from kumo_handlers.reports.report import Action, Typed


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("rfc822; a@b", Typed("rfc822", "a@b")),
        ("DNS;mx.example", Typed("dns", "mx.example")),
        ("rfc/822 ; a@b", Typed("rfc/822", "a@b")),
        ("x-local-hostname; mx", Typed("x-local-hostname", "mx")),
        ("mx.example", Typed("", "mx.example")),
        ("550 no; go away", Typed("", "550 no; go away")),
        ("", Typed("", "")),
    ],
)
def test_typed(text: str, typed: Typed) -> None:
    """RFC 3464, 2.1.2; without a type, all of it is the value."""
    assert values.typed(text) == typed


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@b.example", "a@b.example"),
        ("<a@b.example>", "a@b.example"),
        ("Ann <a@b.example>", "a@b.example"),
        ("a@b.example (Ann)", "a@b.example"),
        ("(Ann) a@b.example", "a@b.example"),
        ("@x,@y:a@b.example", "a@b.example"),
        ("mailto:a@b.example", "a@b.example"),
        ("'a@b.example'", "a@b.example"),
        ("a@b.example (expanded from: <c@b.example>)", "a@b.example"),
        ("a@b.example<mailto:c@b.example>", "c@b.example"),
        ("<a@b.example", "a@b.example"),
        ("a@b.example;", "a@b.example"),
        ("SMTP:a@b.example", "a@b.example"),
        ("rfc822 a@b.example", "a@b.example"),
        ("rfc 822;a@b.example", "a@b.example"),
        ("o'brien@b.example", "o'brien@b.example"),
        ("ann lee@b.example", "ann lee@b.example"),
        ('"a b"@c.example', '"a b"@c.example'),
        ('"a (b)"@c.example', '"a (b)"@c.example'),
        ("=?utf-8?b?YUBiLmV4YW1wbGU=?=", "a@b.example"),
        ("<>", ""),
        ("|/bin/cat", "|/bin/cat"),
        ("/C=de/O=x/S=y", "/C=de/O=x/S=y"),
        ("()", "()"),
        ("rfc822:a@b.example", "a@b.example"),
        ("RFC822; a@b.example", "a@b.example"),
        (";", ";"),
    ],
)
def test_address(text: str, address: str) -> None:
    """Nothing but the address; what is none stays as it is."""
    assert values.address(text) == address


@pytest.mark.parametrize(
    ("text", "address", "remarks"),
    [
        ("rfc822; a@b.example", "a@b.example", 0),
        ("a@b.example", "a@b.example", 1),
        ("rfc822; <a@b.example>", "a@b.example", 1),
        ("rfc822; 'a@b.example'", "a@b.example", 1),
        ("rfc822;rfc822;a@b.example", "a@b.example", 1),
        (r"utf-8; \x{6A}\x{F6}rg@b.example", "jörg@b.example", 0),
        (r"utf-8; \x{D800}\x{FFFFFF}@b.example", r"\x{D800}\x{FFFFFF}@b.example", 0),
        (r"rfc822; \x{6A}@b.example", r"\x{6A}@b.example", 0),
    ],
)
def test_recipient(text: str, address: str, remarks: int) -> None:
    """RFC 6533, 3 for type utf-8; each departure is said."""
    said: list[str] = []
    assert values.recipient(text, said).value == address
    assert len(said) == remarks


@pytest.mark.parametrize(
    ("text", "action", "remarks"),
    [
        ("failed", Action.FAILED, 0),
        ("Failed", Action.FAILED, 0),
        ("failed (permanently)", Action.FAILED, 1),
        ("error", Action.FAILED, 1),
        ("Deferred", Action.DELAYED, 1),
        ("forwarded", Action.RELAYED, 1),
        ("delivery failed", Action.FAILED, 1),
        ("temporarily delayed", Action.DELAYED, 1),
        ("relayed (delayed)", Action.RELAYED, 1),
        ("not delivered", None, 1),
        ("nonsense", None, 1),
        ("123", None, 1),
    ],
)
def test_action(text: str, action: Action | None, remarks: int) -> None:
    """The five of RFC 3464, 2.3.3, and what others mean by other words."""
    said: list[str] = []
    assert values.action(text, said) is action
    assert len(said) == remarks


@pytest.mark.parametrize(
    ("text", "status", "remarks"),
    [
        ("5.1.1", "5.1.1", 0),
        ("4.4.316", "4.4.316", 0),
        ("5.1.1 (bad)", "5.1.1", 1),
        ("#5.1.1", "5.1.1", 1),
        ("5.1", None, 1),
        ("9.1.1", None, 1),
        ("", None, 1),
    ],
)
def test_status(text: str, status: str | None, remarks: int) -> None:
    """RFC 3463, 2, with or without a comment."""
    said: list[str] = []
    found = values.status(text, said)
    assert (str(found) if found else None) == status
    assert len(said) == remarks


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 no", "5.1.1"),
        ("550-5.1.1 no", "5.1.1"),
        ("450 (4.7.1)", "4.7.1"),
        ("at 5.1.1.7", None),
        ("version 15.1.1", None),
        ("5.1.1.", "5.1.1"),
        ("10.5.1.1", None),
        ("none", None),
    ],
)
def test_status_in_text(text: str, status: str | None) -> None:
    """Neither an IP address nor a version is one."""
    found = values.status_in(text)
    assert (str(found) if found else None) == status


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 no", 550),
        ("550-5.1.1 no", 550),
        ("'550 no'", 550),
        ("550", 550),
        ("<<< 552 full", 552),
        ("5.3.0 - Other 550-'Unknown user'", 550),
        ("250 ok", 250),
        ("5.1.1 no", None),
        ("host 550.example said no", None),
        ("try in 500 seconds", 500),
        ("no", None),
    ],
)
def test_reply_code(text: str, code: int | None) -> None:
    """At the beginning, else the first that stands like one."""
    assert values.reply_code_in(text) == code


@given(st.text(max_size=100))
def test_any_text(text: str) -> None:
    """Nothing raises, and addresses never become longer."""
    said: list[str] = []
    values.recipient(text, said)
    values.action(text, said)
    values.status(text, said)
    values.status_in(text)
    values.reply_code_in(text)

"""The message object: its methods, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import AddressError
from kumo_handlers.mail.address import parse
from kumo_handlers.policy.lua.header_block import HeaderBlock
from kumo_handlers.policy.lua.message import Message, operate

CONTENT = (
    b"Received: from a\r\n\tby b\r\nFrom: =?utf-8?q?J=C3=B6rg?= <joe@Example.org>, b@c.d\r\n"
    b"To: undisclosed\r\nX-Campaign-Id: 42\r\nx-campaign-id: 43\r\nno field\r\n"
    b"Subject: caf\xc3\xa9\r\n"
    b"\r\nbody: x\r\n"
)


@pytest.fixture
def message() -> Message:
    """A message with folded, encoded, repeated and broken fields."""
    return Message("m1", parse("s@example.net"), [parse("r@example.com")], CONTENT, {"a": 1})


def ask(message: Message, name: str, *arguments: Any) -> Any:
    """Call a method as Lua does."""
    return operate(message, name, arguments)


def test_reading(message: Message) -> None:
    """Values are unfolded and decoded; names are compared without case."""
    assert ask(message, "id") == "m1"
    assert ask(message, "get_data") == CONTENT
    assert ask(message, "get_first_named_header_value", "received") == "from a\tby b"
    assert ask(message, "get_first_named_header_value", "subject") == "café"
    assert ask(message, "get_first_named_header_value", "nothing") is None
    assert ask(message, "get_all_named_header_values", "X-CAMPAIGN-ID") == ["42", "43"]
    assert [name for name, _ in ask(message, "get_all_headers")] == [
        "Received",
        "From",
        "To",
        "X-Campaign-Id",
        "x-campaign-id",
        "Subject",
    ]
    first, second = ask(message, "addresses", "From")
    assert (first["name"], first["email"], first["domain"]) == (
        "Jörg",
        "joe@Example.org",
        "example.org",
    )
    assert second["user"] == "b"
    assert ask(message, "addresses", "Reply-To") is None


def test_metadata(message: Message) -> None:
    """Set, read, removed by nothing; and taken from header fields."""
    ask(message, "set_meta", "b", {"c": [1]})
    assert ask(message, "get_meta", "b") == {"c": [1]}
    assert ask(message, "get_meta", "nothing") is None
    ask(message, "import_x_headers")
    assert message.meta["x_campaign_id"] == "42"
    ask(message, "import_x_headers", ["Subject"])
    assert message.meta["subject"] == "café"


def test_changes_of_the_header(message: Message) -> None:
    """Only what is changed changes."""
    ask(message, "prepend_header", "X-One", "1")
    encode = True
    ask(message, "append_header", "X-Two", "é", encode)
    ask(message, "append_header", "X-Three", "a\r\n b")
    ask(message, "remove_all_named_headers", "x-campaign-ID")
    assert message.content == (
        b"X-One: 1\r\n"
        + CONTENT.replace(b"X-Campaign-Id: 42\r\nx-campaign-id: 43\r\n", b"").partition(
            b"\r\n\r\n"
        )[0]
        + b"\r\nX-Two: =?utf-8?b?w6k=?=\r\nX-Three: a\r\n b\r\n\r\nbody: x\r\n"
    )
    ask(message, "remove_x_headers")
    assert b"X-" not in message.content
    ask(message, "remove_x_headers", ["Subject"])
    assert b"Subject" not in message.content


def test_set_data(message: Message) -> None:
    """Line ends become CRLF: what follows relies on them."""
    ask(message, "set_data", "A: b\nC: d\r\n\ntext\n")
    assert message.content == b"A: b\r\nC: d\r\n\r\ntext\r\n"
    assert ask(message, "get_first_named_header_value", "c") == "d"


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("prepend_header", ("X: Y", "1"), "no name of a header"),
        ("prepend_header", ("", "1"), "no name of a header"),
        ("append_header", ("X", "1\r\nBcc: a@b"), "line end that does not fold"),
        ("append_header", ("X", "1\n 2"), "line end that does not fold"),
        ("append_header", ("X", "1\r\n\r\nbody"), "line end that does not fold"),
        ("append_header", ("X",), "takes 2 to 3 arguments"),
        ("append_header", ("X", 1), "wrong argument 1"),
        ("id", (1,), "takes 0 to 0"),
        ("get_meta", (1,), "wrong argument"),
        ("set_data", (None,), "wrong argument"),
    ],
)
def test_refused(message: Message, name: str, arguments: tuple[Any, ...], problem: str) -> None:
    """Nothing can be put into a header but a field."""
    with pytest.raises(ValueError, match=problem):
        ask(message, name, *arguments)
    assert message.content == CONTENT


@pytest.mark.parametrize("recipients", ["", [], "no address", ["a@b.c", ""], "a@b.c\r\nRCPT"])
def test_recipients_are_addresses(message: Message, recipients: Any) -> None:
    """And there is one at least."""
    with pytest.raises(AddressError):
        ask(message, "set_recipient", recipients)


def test_envelope(message: Message) -> None:
    """A recipient once; the null sender."""
    ask(message, "set_recipient", ["a@b.c", "d@e.f", "a@b.c"])
    assert [each["email"] for each in ask(message, "recipients")] == ["a@b.c", "d@e.f"]
    ask(message, "set_sender", "")
    assert ask(message, "sender") == ("", "", "")


@given(
    st.lists(
        st.sampled_from([b"A: b", b" fold", b"\r\n", b"\n", b"\r", b":", b"", b"\xff"]), max_size=12
    )
)
def test_what_is_not_changed_stays(pieces: list[bytes]) -> None:
    """Taken to pieces and put together a message is what it was, however broken."""
    content = b"".join(pieces)
    assert bytes(HeaderBlock.of(content)) == content

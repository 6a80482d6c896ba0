"""Header fields over bytes."""

from __future__ import annotations

from email.parser import HeaderParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import header_fields

if TYPE_CHECKING:
    from email.message import Message

BLOCK = b"""\
From MAILER-DAEMON Mon Jul  1 10:00:09 2024
Received: from a
\tby b;
  Mon
SUBJECT:hello \t
Subject: second
Old-Style : x
a line without meaning
X-Empty:
X-Bytes: \xff
"""


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_read(line_end: bytes) -> None:
    """In their order, unfolded, whatever the line ends; junk is passed over."""
    assert header_fields.read(BLOCK.replace(b"\n", line_end)) == (
        ("Received", "from a by b; Mon"),
        ("SUBJECT", "hello"),
        ("Subject", "second"),
        ("Old-Style", "x"),
        ("X-Empty", ""),
        ("X-Bytes", "\udcff"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"received", "from a by b; Mon"),
        (b"subject", "hello"),
        (b"old-style", "x"),
        (b"x-empty", ""),
        (b"by", None),
        (b"x-none", None),
    ],
)
def test_first(name: bytes, value: str | None) -> None:
    """One field, without reading the others; the first of several."""
    assert header_fields.first(BLOCK, BLOCK.lower(), name) == value


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_firsts(line_end: bytes) -> None:
    """Several fields in one search: each as if it were asked for alone."""
    names = (b"received", b"subject", b"old-style", b"x-empty", b"x-none")
    block = BLOCK.replace(b"\n", line_end)
    found = header_fields.firsts(block, header_fields.pattern(*names))
    alone = {name: header_fields.first(block, block.lower(), name) for name in names}
    assert found == {name: value for name, value in alone.items() if value is not None}


NAMES = st.text("abcXYZ-019", min_size=1, max_size=10)
VALUES = st.text("abc :;=<>@.", max_size=30).map(str.strip)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_agrees_with_the_standard_library(fields: list[tuple[str, str]]) -> None:
    """On headers that are as they should be, folds and repetitions included."""
    text = "".join(f"{name}: {value}\n" for name, value in fields)
    parsed: Message = HeaderParser().parsestr(text)
    assert list(header_fields.read(text.encode())) == parsed.items()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("text/plain", "text/plain"),
        ("Multipart/Report; boundary=b", "multipart/report"),
        ("message/delivery-status;", "message/delivery-status"),
        ("text/plain (a comment)", "text/plain"),
        ('text/plain charset="x"', "text/plain"),
        ('"text/plain"', "text/plain"),
        ("", ""),
    ],
)
def test_content_type(value: str, kind: str) -> None:
    """Lower case, and nothing but the type."""
    assert header_fields.content_type(value) == kind


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ("a/b", {}),
        ("a/b;", {}),
        ("a/b; X=y", {"x": "y"}),
        ('a/b; x="y; z"; w=v', {"x": "y; z", "w": "v"}),
        (r'a/b; x="a \"quote\""', {"x": 'a "quote"'}),
        ("a/b;\n\tx = y", {"x": "y"}),
        ("a/b; x=1; x=2", {"x": "1"}),
        ("a/b; x*0=1; x*1=2", {"x": "12"}),
        ('a/b; x="never closed', {"x": "never closed"}),
        ('a/b charset="x"', {"charset": "x"}),
    ],
)
def test_parameters(value: str, parameters: dict[str, str]) -> None:
    """RFC 2045, 5.1 and RFC 2231, 3, and what is written instead."""
    assert header_fields.parameters(value) == parameters

"""Messages, parts and the walk through them."""

from __future__ import annotations

import base64
import email
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import mime, parts, walk

if TYPE_CHECKING:
    from email.message import Message as Parsed

MESSAGES = Path(__file__).parent / "messages"
NESTED = b"""\
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: multipart/alternative; boundary=bb

--bb

plain
--bb
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

j=C3=B6rg
--bb--
--b
Content-Type: Message/RFC822

Subject: inner
Content-Type: multipart/mixed; boundary=b3

--b3

never looked into
--b3--
--b--
epilogue
--b
Content-Type: text/never
"""


def leaves(parsed: Parsed) -> list[str]:
    """The types of the leaves as the standard library finds them."""
    if parsed.get_content_maintype() == "multipart" and parsed.is_multipart():
        return [kind for each in parsed.get_payload() for kind in leaves(each)]  # type: ignore[arg-type]
    return [parsed.get_content_type()]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_parts(line_end: bytes) -> None:
    """The leaves in their order; an embedded message is one; the epilogue is none."""
    message = mime.Message(NESTED.replace(b"\n", line_end))
    assert message.content_type == "multipart/mixed"
    assert [part.content_type for part in message.parts] == [
        *("text/plain", "text/html", "message/rfc822")
    ]
    assert [part.depth for part in message.parts] == [2, 2, 1]
    plain, html, inner = message.parts
    assert plain.body == b"plain"
    assert html.text() == "jörg"
    assert inner.embedded()[0] == ("Subject", "inner")


@pytest.mark.parametrize(
    ("body", "parts"), [(b"--b\n\nplain\n--b--\n", [b"plain"]), (b"Hello\nAnn\n", None)]
)
def test_parts_in_one_encoding(body: bytes, parts: list[bytes] | None) -> None:
    """RFC 2045, 6.4 forbids it. The content is then the decoded one, for whoever looks there."""
    head = b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n"
    message = mime.Message(head + base64.encodebytes(body))
    if parts is None:
        assert [part.text() for part in message.parts] == [body.decode()]
        return
    assert [part.body for part in message.parts] == parts
    assert message.content == head + body


def test_two_carriage_returns_in_the_body_alone() -> None:
    """The header was written by somebody else."""
    head, _, body = NESTED.partition(b"\n\n")
    content = (head + b"\n\n").replace(b"\n", b"\r\n") + body.replace(b"\n", b"\r\r\n")
    assert len(mime.Message(content).parts) == len(mime.Message(NESTED).parts)


# Where the standard library finds no parts, or does not read the header.
OTHERWISE = {
    *("another_boundary_than_declared", "no_boundary_declared", "boundary_in_sections"),
    *("blanks_before_header_colons", "no_empty_line_before_the_fields"),
    *("all_parts_in_base64", "no_parts_at_all", "another_boundary_of_dashes"),
}
ALIKE = [path for path in sorted(MESSAGES.glob("*/*.eml")) if path.stem not in OTHERWISE]


@pytest.mark.parametrize("path", ALIKE, ids=lambda path: path.stem)
def test_agrees_with_the_standard_library(path: Path) -> None:
    """On the structure of every message here whose boundary is the declared one."""
    content = path.read_bytes()
    got = [part.content_type for part in mime.Message(content.lstrip()).parts]
    assert got == leaves(email.message_from_bytes(content.lstrip()))


BODIES = st.binary(max_size=40).map(lambda raw: raw.replace(b"--", b"").replace(b"\r", b""))


@given(st.lists(BODIES, min_size=1, max_size=6), st.sampled_from([b"\n", b"\r\n"]))
def test_bodies_come_back(bodies: list[bytes], line_end: bytes) -> None:
    """What stands between two delimiters is the part, to the byte (RFC 2046, 5.1.1)."""
    delimiter = b"--=b" + line_end
    head = b"Content-Type: multipart/mixed; boundary==b" + line_end * 2
    content = head + b"".join(delimiter + line_end + body + line_end for body in bodies)
    found = mime.Message(content + b"--=b--").parts
    assert [part.body for part in found] == bodies


def test_a_longer_boundary_is_not_ours() -> None:
    """``--b`` does not end at ``--bb``."""
    content = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--bb\ntwo\n--b--\n"
    (part,) = mime.Message(content).parts
    assert part.body == b"one\n--bb\ntwo"


def test_a_digest_is_made_of_messages() -> None:
    """RFC 2046, 5.1.5: the default type of its parts."""
    content = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n--b--\n"
    assert [part.content_type for part in mime.Message(content).parts] == ["message/rfc822"]


def test_a_header_without_an_end() -> None:
    """Without an empty line, the body begins at the first line that is no field."""
    message = mime.Message(b"Subject: hello\nX: y\nThis is text: really\n")
    assert message.headers == (("Subject", "hello"), ("X", "y"))
    assert message.root.lines() == "This is text: really\n"
    part = mime.Message(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n<p>\n--b--"
    ).parts[0]
    assert (part.content_type, part.body) == ("text/html", b"<p>")


def test_header() -> None:
    """In any case, unfolded, the first of several."""
    message = mime.Message(b"\nSubject: One\n Two\nSubject: three\nX-Y: Z\n\n")
    assert message.header("SUBJECT") == "One Two"
    assert message.header("x-y") == "Z"
    assert message.header("From") is None
    assert message.header("X-Z") is None
    assert message.sign(b"subject") == b"one\n two"
    assert message.sign(b"from") == b""


@pytest.mark.parametrize("field", [b"", b" ", b"\n", b" one", b"\n one", b" one\n two ", b" a\rb"])
def test_signs_are_the_same_with_either_line_end(field: bytes) -> None:
    """No line end at the end of a value, and no blank at its beginning; empty is empty."""
    content = b"From:" + field + b"\nSubject:" + field + b"\nTo: x\n\ntext"
    found = mime.Message(content)
    other = mime.Message(content.replace(b"\n", b"\r\n"))
    for name in (b"from", b"subject"):
        assert found.sign(name) == other.sign(name).replace(b"\r\n", b"\n")
        assert found.sign(name)[:1].strip() == found.sign(name)[:1]


def test_bounds() -> None:
    """So many parts, so deep, so much of a header, and not more."""
    head = b"Content-Type: multipart/mixed; boundary=b\n\n"
    many = mime.Message(head + b"--b\n\nx\n" * 1000)
    assert len(many.parts) == walk.MAX_PARTS
    deep = mime.Message(
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(50)
        )
    )
    assert [part.depth for part in deep.parts] == [walk.MAX_DEPTH]
    long = mime.Message(b"A: b\n" * 100_000)
    assert len(long.lowered) <= parts.MAX_HEADER_BLOCK + 1


@pytest.mark.parametrize("size", [100, walk.MAX_SHORT + 100])
def test_a_long_header_of_a_part(size: int) -> None:
    """The type of a part is found behind whatever stands before it."""
    content = b"Content-Type: multipart/report; boundary=b\n\n--b\nX: %s\n" % (b"x" * size)
    message = mime.Message(content + b"Content-Type: Message/Delivery-Status\n\nA: b\n--b--\n")
    assert [part.content_type for part in message.parts] == ["message/delivery-status"]
    assert message.parts[0].body == b"A: b"


def test_body_limit() -> None:
    """No more of a body is decoded than was asked for."""
    message = mime.Message(b"Content-Transfer-Encoding: base64\n\n" + b"QUFB" * 1000)
    assert message.root.text(8) == "AAAAAA"
    assert message.root.transfer_encoding == "base64"


@pytest.mark.parametrize(
    ("header", "may"),
    [
        (b"Content-Type: multipart/report; boundary=b", True),
        (b"Content-Type: message/delivery-status", True),
        (b"From: MAILER-DAEMON\nContent-Type: multipart/alternative; boundary=b", True),
        (b"Subject: Failure report\nContent-Type: multipart/mixed; boundary=b", True),
        (b"Subject: Lunch\nContent-Type: multipart/mixed; boundary=b", False),
        (b"Subject: Failure report\nContent-Type: multipart/alternative; boundary=b", False),
        (b"Content-Type: text/plain", False),
        (b"Subject: Lunch", False),
    ],
)
def test_ordinary_mail_is_not_walked_through(header: bytes, *, may: bool) -> None:
    """A report behind a long text is looked for only where the header gives reason to."""
    content = header + b"\n\n--b\n\n" + b"text\n" * 2000 + b"--b\nContent-Type: message/x\n"
    assert mime.Message(content).may_hold_reports is may


def test_early_parts_are_seen() -> None:
    """Whoever sent it, and whatever about."""
    content = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/x\n\n--b--"
    assert mime.Message(content).may_hold_reports

"""The message that a report gives back."""

from __future__ import annotations

import pytest

from kumo_handlers.reports import mime, returned

REPORT = b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n"
LETTER = b"\n\nFrom: a@b.example\nTo: c@d.example\nSubject: it\n\nbody\n"


def message(*parts: bytes) -> mime.Message:
    """A multipart message with those parts."""
    head = b"Content-Type: multipart/report; boundary=b\n\n"
    return mime.Message(head + b"".join(b"--b\n" + part for part in parts) + b"--b--\n")


@pytest.mark.parametrize(
    ("parts", "at", "remarks"),
    [
        ([REPORT, b"Content-Type: message/rfc822" + LETTER], 1, 0),
        ([REPORT, b"Content-Type: text/rfc822-headers" + LETTER], 1, 0),
        ([REPORT, b"\nprose\n", b"Content-Type: message/global" + LETTER], 2, 0),
        ([b"Content-Type: message/rfc822" + LETTER, REPORT], 0, 0),
        ([REPORT, b"Content-Type: text/plain" + LETTER], 1, 1),
        ([REPORT, b"\nprose\n"], None, 0),
        ([REPORT], None, 0),
    ],
)
def test_find(parts: list[bytes], at: int | None, remarks: int) -> None:
    """By its type behind the report, then before it, then by what it looks like."""
    said: list[str] = []
    found = message(*parts)
    index = next(i for i, part in enumerate(found.parts) if "delivery" in part.content_type)
    part = returned.find(found.parts, index, said)
    assert part == (None if at is None else found.parts[at])
    assert len(said) == remarks


def test_its_text_is_bounded() -> None:
    """A record is no place for a whole film."""
    said: list[str] = []
    part = message(b"Content-Type: message/rfc822" + LETTER + b"x" * returned.MAX_ORIGINAL).parts[0]
    text = returned.text(part, said)
    assert text is not None
    assert len(text) == returned.MAX_ORIGINAL
    assert len(said) == 1


def test_nothing_returned() -> None:
    """No headers, and no text."""
    assert returned.header_block(None) == b""
    assert returned.text(None, []) is None


def test_headers_in_text() -> None:
    """As far as the first empty line."""
    assert returned.header_block_in("A: 1\nB: 2\n\nC: 3\n") == b"A: 1\nB: 2"

"""From bytes to text, without failing."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import encoding


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        (b"plain", "us-ascii", "plain"),
        ("jörg".encode(), "us-ascii", "jörg"),
        ("jörg".encode("latin-1"), "us-ascii", "jörg"),
        ("jörg".encode("latin-1"), "", "jörg"),
        ("jörg".encode("cp1252"), "windows-1252", "jörg"),
        ("почта".encode("koi8-r"), "KOI8-R", "почта"),
        ("配信".encode("iso-2022-jp"), "ISO-2022-JP", "配信"),
        ("配信".encode("iso-2022-jp"), "", "配信"),
        ("配信".encode("iso-2022-jp"), "iso-8859-1", "配信"),
        (b"\x1b$B\xff", "us-ascii", "\ufffd"),
        ("jörg".encode(), "iso-8859-1", "jörg"),
        ("jörg".encode(), "windows-1252", "jörg"),
        ("jörg".encode("latin-1"), "iso-8859-1", "jörg"),
        ("\u201cno\u201d".encode("cp1252"), "windows-1252", "\u201cno\u201d"),
        ("配信".encode("cp932"), '"shift_jis"', "配信"),
        (b"+APw-ber", "utf-7", "über"),
        (b"+A", "utf-7", "\ufffd"),
        (b"one\ntwo", "utf-16", "one\ntwo"),
        ("one\ntwo".encode("utf-16"), "utf-16", "one\ntwo"),
    ],
)
def test_prose(raw: bytes, charset: str, text: str) -> None:
    """The declared charset, else what the bytes look like."""
    assert encoding.prose(raw, charset) == text


@pytest.mark.parametrize(
    "charset", ["zip", "rot13", "idna", "punycode", "unicode_escape", "undefined", "a\0b", "x" * 99]
)
def test_what_is_no_charset_counts_as_none(charset: str) -> None:
    """Python's registry holds more than charsets; none of that is used."""
    assert encoding.prose(b"Zm9v\xfc", charset) == "Zm9vü"


@given(st.binary(max_size=200), st.text(max_size=20))
def test_prose_never_fails(raw: bytes, charset: str) -> None:
    """Whatever the charset is called."""
    encoding.prose(raw, charset)


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"+", b"-", b"~{", b"\x1b$B", b"\xff"])).map(b"".join),
    st.sampled_from(["utf-7", "hz-gb-2312", "iso-2022-jp", "utf-8", "big5"]),
)
def test_prose_is_the_same_with_either_line_end(raw: bytes, charset: str) -> None:
    """Broken text of a stateful charset as well."""
    other = encoding.prose(raw.replace(b"\n", b"\r\n"), charset)
    assert other.replace("\r\n", "\n") == encoding.prose(raw, charset)


@given(st.binary(max_size=300))
def test_base64_inverts_the_standard_library(raw: bytes) -> None:
    """With line breaks, and with junk between the lines."""
    assert encoding.transferred(base64.encodebytes(raw), "base64") == raw


@given(st.binary(max_size=300))
def test_quoted_printable_inverts_the_standard_library(raw: bytes) -> None:
    """For text, that is: line ends are the transport's."""
    text = raw.replace(b"\r", b"").replace(b"\n", b"")
    assert encoding.transferred(quopri.encodestring(text), "quoted-printable") == text


@given(st.binary(min_size=1, max_size=100), st.integers(0, 150))
def test_truncated_base64_gives_its_beginning(raw: bytes, length: int) -> None:
    """A message may end within a group of four."""
    got = encoding.transferred(base64.b64encode(raw)[:length], "base64")
    assert raw.startswith(got)
    assert len(got) >= min(length, len(base64.b64encode(raw).rstrip(b"="))) * 3 // 4


@pytest.mark.parametrize("raw", [b"Status: 5.1.1\n", b"\r\nHi. It failed.\r\n", b"<p>no</p>"])
def test_what_is_only_said_to_be_base64_stays(raw: bytes) -> None:
    """A first line that holds anything but digits was never encoded."""
    assert encoding.transferred(raw, "base64") == raw


def test_other_encodings_are_the_identity() -> None:
    """7bit, 8bit, binary, and what nobody knows."""
    assert encoding.transferred(b"=41", "x-own") == b"=41"


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        ("no word", "no word"),
        ("=?utf-8?q?j=C3=B6rg_m?=", "jörg m"),
        ("=?UTF-8?B?asO2cmc=?=", "jörg"),
        ("=?utf-8*de?q?j=C3=B6rg?=", "jörg"),
        ("=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c"),
        ("=?nonsense?q?a?=", "=?nonsense?q?a?="),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?cut", "=?utf-8?q?cut"),
    ],
)
def test_encoded_words(coded: str, text: str) -> None:
    """RFC 2047; what is broken stays as it was."""
    assert encoding.words(coded) == text

"""From bytes to text: charsets, transfer encodings (RFC 2045, 6), encoded words (RFC 2047).

Nothing here fails: what does not decode is kept as it came, as well as it can be. Bytes that
are not text in the charset become surrogate escapes in fields, which keeps them, and U+FFFD in
prose, which is only read.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,39}")
# Python's registry also holds compressors, escapes and IDNA, which are no charsets of mail: some
# raise, some warn, one is quadratic. Families of real ones are named instead.
_FAMILIES = (
    *("ascii", "utf-", "utf_", "iso", "cp", "windows", "koi8", "kz1048", "latin", "mac", "tis"),
    *("gb", "hz", "big5", "euc", "shift", "johab", "ptcp154", "hp-roman8"),
)
# What a byte means in these depends on those before it, and a line feed starts anew.
_STATEFUL = ("utf-7", "hz", "iso2022")
# A first line with anything else than digits, blanks aside, was never encoded.
_PLAIN = re.compile(rb"\s*+[\w+/= \t-]*+[^\w+/=\s-]")
# What programs declare that know nothing of charsets; UTF-8 is read by none of these by chance.
_BY_DEFAULT = ("ascii", "iso8859-1", "cp1252")
# ISO-2022-JP, however it is declared: nothing else has these (RFC 1468).
_JAPANESE = (b"\x1b$B", b"\x1b$@")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]{0,1000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s++(=\?)")


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """Python's name of a charset, None for what is none."""
    name = charset.strip().strip("'\"")
    if not _NAME.fullmatch(name):
        return None
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return found if found.startswith(_FAMILIES) else None


def prose(raw: bytes, charset: str) -> str:
    """Text for reading: the declared charset, else UTF-8, else Latin-1. Never raises."""
    declared = _codec(charset) or "utf-8"
    codec = _meant(raw, declared)
    if codec.startswith(_STATEFUL):
        # What is broken shall be broken the same way with either line end.
        raw = raw.replace(b"\r\n", b"\n")
    try:
        return raw.decode(codec)
    except UnicodeError:
        if codec == "utf-8":
            return raw.decode("cp1252" if declared == "cp1252" else "latin-1", "replace")
        return raw.decode(codec, "replace")


def _meant(raw: bytes, codec: str) -> str:
    """The charset to try for text that is declared as ``codec``.

    QUIRK: qmail and many scripts declare us-ascii, Latin-1 or nothing, whatever they send.
    """
    if codec in _BY_DEFAULT or is_falsely_wide(raw, codec):
        codec = "utf-8"
    if codec == "utf-8" and any(escape in raw for escape in _JAPANESE):
        return "iso2022_jp_ext"
    return codec


def is_falsely_wide(raw: bytes, charset: str) -> bool:
    """Whether UTF-16 or UTF-32 is declared for what is neither: line ends alone hold zeros.

    QUIRK: it is the charset the text had before it was converted for the way.
    """
    return charset.lower().startswith(("utf-16", "utf-32")) and b"\0" not in raw


def transferred(raw: bytes, encoding: str) -> bytes:
    """The bytes that a Content-Transfer-Encoding carried; any other than two is the identity.

    QUIRK: gateways that decode a part leave the field that says it is in base64.
    """
    if encoding == "base64":
        return raw if _PLAIN.match(raw) else _base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    return raw


def _base64(raw: bytes) -> bytes:
    """Decode as much as there is: a truncated message ends anywhere."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        digits = _NOT_BASE64.sub(b"", raw)
        # One digit over a multiple of four holds no whole byte.
        digits = digits[: len(digits) - (len(digits) % 4 == 1)]
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def words(text: str) -> str:
    """Text with its encoded words decoded (RFC 2047, 6.2); a broken word stays as it is."""
    if "=?" not in text:
        return text
    return _WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1\2", text))


def _word(found: re.Match[str]) -> str:
    charset, kind, coded = found.groups()
    if not coded.isascii() or _codec(charset) is None:
        return found.group()
    raw = coded.encode("ascii")
    if kind in "bB":
        return prose(_base64(raw), charset)
    return prose(binascii.a2b_qp(raw, header=True), charset)

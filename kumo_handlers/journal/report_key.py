"""What tells a report that came twice from two reports.

A sender that saw no reply delivers again: the same content under other Received and trace
fields, perhaps through a gateway with other line ends. The key is a hash of what such a retry
leaves alone: everything after the header block, Message-ID and Date, and whom it is about.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kumo_handlers.mail.address import Address

KEY_SIZE = 16
# A header block is searched no further than this; larger ones are no report's.
MAX_HEADER_BLOCK = 256 * 1024

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r(?!\n)")
_IDENTITY = re.compile(
    rb"^(message-id|date)[ \t]*:(.*(?:[\r\n]+[ \t].*)*)", re.IGNORECASE | re.MULTILINE
)


class Digest:
    """The part of the key that all records of one message share; the content is hashed once."""

    __slots__ = ("_hash",)

    def __init__(self, content: bytes, forward_path: Address) -> None:
        """``forward_path`` is the report's own recipient."""
        blank = _BLANK_LINE.search(content, 0, MAX_HEADER_BLOCK)
        start, end = blank.span() if blank else (len(content), len(content))
        self._hash = blake2b(_line_ends_aside(content[end:]).rstrip(), digest_size=KEY_SIZE)
        for field in _identity(content[:start]):
            self._hash.update(b"\0" + field)
        # The local part as it came, the domain folded: how addresses are compared.
        self._hash.update(_bytes(f"\0{forward_path.local_part}@{forward_path.domain}"))

    def key(self, *recipients: str | None) -> str:
        """The key of the record about ``recipients``: original and final, where both are known."""
        copy = self._hash.copy()
        for recipient in recipients:
            copy.update(_bytes(f"\0{recipient or ''}"))
        return copy.hexdigest()


def _identity(block: bytes) -> list[bytes]:
    """The first Message-ID and the first Date of a header block, blanks aside."""
    first: dict[bytes, bytes] = {}
    for name, value in _IDENTITY.findall(_line_ends_aside(block)):
        first.setdefault(name.lower(), b" ".join(value.split()))
    return sorted(name + b":" + value for name, value in first.items())


def _line_ends_aside(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

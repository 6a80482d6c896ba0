"""What tells a report that came twice from two reports.

A sender that saw no reply delivers again: the same content under other Received and trace
fields, perhaps through a gateway with other line ends. The key is a hash of what such a retry
leaves alone: everything after the header block, Message-ID and Date, and whom it is about.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from kumo_handlers.reports import header_fields, parts

if TYPE_CHECKING:
    from kumo_handlers.mail.address import Address

KEY_SIZE = 16
_IDENTITY = (b"message-id", b"date")
_FIELDS = header_fields.pattern(*_IDENTITY)
# One that ends the whole is cut off with the line ends there.
_CR_ALONE = re.compile(rb"\r[^\n]")


class Digest:
    """The part of the key that all records of one message share; the content is hashed once."""

    __slots__ = ("_hash",)

    def __init__(self, content: bytes, forward_path: Address) -> None:
        """``forward_path`` is the report's own recipient."""
        text = _line_ends_aside(content)
        blank = text.find(b"\n\n", 0, parts.MAX_HEADER_BLOCK)
        end, start = (blank, blank + 2) if blank >= 0 else parts.header_end(text, 0, len(text))
        fields = header_fields.firsts(text[:end], _FIELDS)
        # blanks aside: a gateway may fold a field elsewhere
        said = "\0".join([" ".join(fields.get(name, "").split()) for name in _IDENTITY])
        self._hash = blake2b(text[start:].rstrip(), digest_size=KEY_SIZE)
        # The local part as it came, the domain folded: how addresses are compared.
        self._hash.update(_bytes(f"\0{said}\0{forward_path.local_part}@{forward_path.domain}"))

    def key(self, *recipients: str | None) -> str:
        """The key of the record about ``recipients``: original and final, where both are known."""
        copy = self._hash.copy()
        copy.update(_bytes("".join([f"\0{recipient or ''}" for recipient in recipients])))
        return copy.hexdigest()


def _line_ends_aside(text: bytes) -> bytes:
    if text.find(b"\r") < 0:
        return text
    if _CR_ALONE.search(text):
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.translate(None, b"\r")  # in a third of the time


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""One part of a message (RFC 2045): a range of the content, read when it is asked for."""

from __future__ import annotations

import re

import msgspec

from kumo_handlers.reports import encoding, header_fields

MAX_HEADER_BLOCK = 256 * 1024
# A report's own parts are small; a returned message may be as large as messages are.
MAX_TEXT = 4 * 1024 * 1024
# Programs that do not know the type of a report declare it as a file; a multipart that is a leaf
# is one in which no part was found.
_AS_TEXT = ("text/", "application/octet-stream", "multipart/")

BLANK_LINE = re.compile(rb"\n\r*+\n")
_EMPTY_LINES = re.compile(rb"[\r\n]*+")
_LINE_ENDS = (b"\r", b"\n")
_LINE = rb"[^\n]*+(?:\n|\Z)"
_HEADER_LINES = re.compile(rb"(?:[!-9;-~]++[ \t]*+:" + _LINE + rb"(?:[ \t]" + _LINE + rb")*)*")


class Part(msgspec.Struct, frozen=True, gc=False):
    """One part, or the whole message: a range of ``content`` and what its header block says.

    ``content_type`` is lower case, ``text/plain`` where nothing is declared (RFC 2045, 5.2).
    ``depth`` is 0 for the message itself.
    """

    content: bytes
    start: int
    body_start: int
    end: int
    content_type: str
    depth: int = 0

    @property
    def header_block(self) -> bytes:
        """The bytes of the header block, without the blank line that ends it."""
        return self.content[self.start : min(self.body_start, self.start + MAX_HEADER_BLOCK)]

    @property
    def headers(self) -> header_fields.Headers:
        """The part's own header fields."""
        return header_fields.read(self.header_block)

    def field(self, name: str) -> str | None:
        """The first of the part's fields with that name, in any case, unfolded."""
        block = self.header_block
        return header_fields.first(block, block.lower(), name.lower().encode())

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the Content-Type, names in lower case."""
        return header_fields.parameters(self.field("content-type") or "")

    @property
    def is_multipart(self) -> bool:
        """Whether the type says that there are parts inside."""
        return self.content_type.startswith("multipart/")

    @property
    def may_be_text(self) -> bool:
        """Whether fields of a report may be found in it, as in a text."""
        return self.content_type.startswith(_AS_TEXT)

    @property
    def body(self) -> bytes:
        """The bytes after the header block, as they came."""
        return self.content[self.body_start : self.end]

    @property
    def transfer_encoding(self) -> str:
        """``base64`` or ``quoted-printable``; ``""`` for any other, which is the identity."""
        block = self.content[self.start : self.body_start]
        lowered = block.lower()
        if lowered.find(b"transfer-encoding") < 0:
            return ""
        declared = header_fields.first(block, lowered, b"content-transfer-encoding") or ""
        name = header_fields.content_type(declared)
        return name if name in ("base64", "quoted-printable") else ""

    def decoded(self, limit: int = MAX_TEXT, encoded: str | None = None) -> bytes:
        """The body, its transfer encoding undone; at most ``limit`` bytes of it are looked at.

        ``encoded`` is the transfer encoding, for those who have asked for it.
        """
        body = self.content[self.body_start : min(self.end, self.body_start + limit)]
        if encoded is None:
            encoded = self.transfer_encoding
        return encoding.transferred(body, encoded) if encoded else body

    def raw(self, limit: int = MAX_TEXT) -> str:
        """Header block and body as they came, as fields: for parts that do not keep them apart."""
        return header_fields.lines(self.content[self.start : min(self.end, self.start + limit)])

    def text(self, limit: int = MAX_TEXT) -> str:
        """The body as prose, in its charset, with LF line ends: to be read, not to be relayed."""
        text = encoding.prose(self.decoded(limit), self.parameters.get("charset", ""))
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def lines(self, limit: int = MAX_TEXT, encoded: str | None = None) -> str:
        """The body as fields: LF line ends, UTF-8, other bytes kept as surrogate escapes."""
        return header_fields.lines(self.decoded(limit, encoded))

    def embedded(self) -> header_fields.Headers:
        """The header fields that the body begins with: message/rfc822, text/rfc822-headers."""
        return header_fields.read(self.embedded_block())

    def embedded_block(self) -> bytes:
        """The same as they came, not read."""
        content, start, end = self.content, self.body_start, self.end
        if self.transfer_encoding:
            content = self.decoded(MAX_HEADER_BLOCK)
            start, end = 0, len(content)
        blank = BLANK_LINE.search(content, start, min(end, start + MAX_HEADER_BLOCK))
        if blank and blank.start() > start + 1:
            return content[start : blank.start()]
        start = first_line(content, start)
        return content[start : header_end(content, start, end)[0]]


def first_line(content: bytes, start: int) -> int:
    """Where a header block starts: some gateways put empty lines before it."""
    if content[start : start + 1] not in _LINE_ENDS:
        return start
    found = _EMPTY_LINES.match(content, start)
    return found.end() if found else start


def header_end(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Where a header block ends, and where the body after it starts."""
    blank = BLANK_LINE.search(content, max(start - 1, 0), min(end, start + MAX_HEADER_BLOCK))
    if blank:
        return max(blank.start() + 1, start), blank.end()
    # RFC 5322 wants an empty line. Without one the block ends at the first line that is no field.
    known = _HEADER_LINES.match(content, start, min(end, start + MAX_HEADER_BLOCK))
    stop = known.end() if known else start
    return stop, stop

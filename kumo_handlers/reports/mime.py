"""The structure of a message over its bytes (RFC 2045, RFC 2046): lazy, bounded, forgiving.

Nothing is copied until it is asked for: a part is a range of the content. What is looked at is
bounded, so that no message can make its reader slow: this many parts, this deep, this much of a
header block. A part of type message/* is a leaf: what is returned in a report is never taken for
the report. Line endings are CRLF, LF, or, where there is no LF at all, CR.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports import encoding, header_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HEADER_BLOCK = 256 * 1024
MAX_PARTS = 200
MAX_DEPTH = 8
# A report's own parts are small; a returned message may be as large as messages are.
MAX_TEXT = 4 * 1024 * 1024

_BLANK_LINE = re.compile(rb"\n\r*+\n")
_LEADING_LINES = re.compile(rb"[\r\n]*+")
_ANY_DELIMITER = re.compile(
    rb"^--([^\s-][^\s]{0,199}+)[ \t]*+\r?\nContent-", re.MULTILINE | re.IGNORECASE
)
_LINE = rb"[^\n]*+(?:\n|\Z)"
_HEADER_LINES = re.compile(rb"(?:[!-9;-~]++[ \t]*+:" + _LINE + rb"(?:[ \t]" + _LINE + rb")*+)*+")


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
    def body(self) -> bytes:
        """The bytes after the header block, as they came."""
        return self.content[self.body_start : self.end]

    def decoded(self, limit: int = MAX_TEXT) -> bytes:
        """The body, its transfer encoding undone; at most ``limit`` bytes of it are looked at."""
        body = self.content[self.body_start : min(self.end, self.body_start + limit)]
        block = self.header_block
        lowered = block.lower()
        if b"content-transfer-encoding" not in lowered:
            return body
        declared = header_fields.first(block, lowered, b"content-transfer-encoding") or ""
        return encoding.transferred(body, header_fields.content_type(declared))

    def raw(self, limit: int = MAX_TEXT) -> str:
        """Header block and body as they came, as fields: for parts that do not keep them apart."""
        return header_fields.lines(self.content[self.start : min(self.end, self.start + limit)])

    def text(self, limit: int = MAX_TEXT) -> str:
        """The body as prose, in its charset, with LF line ends: to be read, not to be relayed."""
        text = encoding.prose(self.decoded(limit), self.parameters.get("charset", ""))
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def lines(self, limit: int = MAX_TEXT) -> str:
        """The body as fields: LF line ends, UTF-8, other bytes kept as surrogate escapes."""
        return header_fields.lines(self.decoded(limit))

    def embedded(self) -> header_fields.Headers:
        """The header fields that the body begins with: message/rfc822, text/rfc822-headers."""
        raw = self.decoded(MAX_HEADER_BLOCK)
        start = _skip_lines(raw)
        return header_fields.read(raw[start : _header_end(raw, start, len(raw))[0]])


class Message:
    """A message as received. ``reverse_path`` is None where it is not known.

    ``lowered`` is the header block in lower case: the place to look for cheap signs.
    """

    __slots__ = ("_headers", "_parts", "content", "lowered", "reverse_path", "root")

    def __init__(self, content: bytes, reverse_path: str | None = None) -> None:
        if content.find(b"\n", 0, MAX_HEADER_BLOCK) < 0:
            # QUIRK: mailboxes of the old Mac OS, and files that went through one.
            content = content.replace(b"\r", b"\n")
        start = _skip_lines(content)
        end, body_start = _header_end(content, start, len(content))
        block = content[start:end]
        self.content = content
        self.reverse_path = reverse_path
        self.lowered = block.lower()
        self.root = Part(
            content, start, body_start, len(content), _declared(block, self.lowered, "text/plain")
        )
        self._headers: header_fields.Headers | None = None
        self._parts: tuple[Part, ...] | None = None

    @property
    def content_type(self) -> str:
        """The type of the whole, lower case."""
        return self.root.content_type

    @property
    def headers(self) -> header_fields.Headers:
        """All header fields, unfolded; read once."""
        if self._headers is None:
            self._headers = self.root.headers
        return self._headers

    def header(self, name: str) -> str | None:
        """The first header field with that name, in any case, unfolded."""
        root = self.root
        block = root.content[root.start : root.start + len(self.lowered)]
        return header_fields.first(block, self.lowered, name.lower().encode())

    @property
    def parts(self) -> tuple[Part, ...]:
        """The leaves in their order, the first `MAX_PARTS`; read once. Never empty."""
        if self._parts is None:
            found: list[Part] = []
            _gather(self.root, found)
            self._parts = tuple(found) or (self.root,)
        return self._parts

    def first_parts(self, window: int) -> list[Part]:
        """The parts of a multipart that begin in the first bytes of the body; without a walk."""
        return list(_children(self.root, self.root.body_start + window))


def _skip_lines(content: bytes) -> int:
    """Where the header block starts: some gateways put an empty line before it."""
    found = _LEADING_LINES.match(content) if content[:1] in (b"\r", b"\n") else None
    return found.end() if found else 0


def _header_end(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Where a header block ends, and where the body after it starts."""
    blank = _BLANK_LINE.search(content, max(start - 1, 0), min(end, start + MAX_HEADER_BLOCK))
    if blank:
        return max(blank.start() + 1, start), blank.end()
    # RFC 5322 wants an empty line. Without one the block ends at the first line that is no field.
    known = _HEADER_LINES.match(content, start, min(end, start + MAX_HEADER_BLOCK))
    stop = known.end() if known else start
    return stop, stop


def _declared(block: bytes, lowered: bytes, default: str) -> str:
    """The type in a header block. What is no type is the default (RFC 2045, 5.2)."""
    if b"content-type" not in lowered:
        return default
    kind = header_fields.content_type(header_fields.first(block, lowered, b"content-type") or "")
    return kind if "/" in kind else default


def _gather(part: Part, found: list[Part]) -> None:
    """Put the leaves of ``part`` into ``found``."""
    if not part.is_multipart or part.depth >= MAX_DEPTH:
        found.append(part)
        return
    for child in _children(part):
        if len(found) >= MAX_PARTS:
            return
        _gather(child, found)


def _children(part: Part, stop_at: int | None = None) -> Iterator[Part]:
    """The parts of a multipart (RFC 2046, 5.1.1); the last one may be cut off anywhere.

    With ``stop_at`` the content counts as cut off there.
    """
    content = part.content
    end = part.end if stop_at is None else min(part.end, stop_at)
    default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    delimiter, at = _first_delimiter(part, end)
    for _ in range(MAX_PARTS):
        if at < 0 or content.startswith(b"--", at + len(delimiter)):
            return
        line_end = content.find(b"\n", at, end)
        if line_end < 0:
            return
        following = _delimiter(content, delimiter, line_end + 1, end)
        stop = end if following < 0 else _before_line_end(content, line_end + 1, following)
        yield _part(content, line_end + 1, stop, default, part.depth + 1)
        at = following


def _part(content: bytes, start: int, end: int, default: str, depth: int) -> Part:
    header_end, body_start = _header_end(content, start, end)
    block = content[start:header_end]
    return Part(content, start, body_start, end, _declared(block, block.lower(), default), depth)


def _before_line_end(content: bytes, start: int, at: int) -> int:
    """The line end before a delimiter belongs to the delimiter (RFC 2046, 5.1.1)."""
    stop = at - 1
    if content.endswith(b"\r", start, stop):
        stop -= 1
    return max(stop, start)


def _delimiter(content: bytes, delimiter: bytes, start: int, end: int) -> int:
    """Where the next delimiter line starts, -1 for nowhere.

    A longer boundary may begin with ours: what follows it has to be ``--``, blank, or nothing.
    """
    at = start if content.startswith(delimiter, start) else -1
    for _ in range(MAX_PARTS):
        if at < 0:
            at = content.find(b"\n" + delimiter, max(start - 1, 0), end) + 1
            if not at:
                return -1
        after = at + len(delimiter)
        if content[after : after + 1] in (b"\n", b"\r", b" ", b"\t", b"") or (
            content[after : after + 2] == b"--"
        ):
            return at
        start, at = after, -1
    return -1


def _first_delimiter(part: Part, end: int) -> tuple[bytes, int]:
    """The delimiter of a multipart, and where it first stands, -1 for nowhere.

    Where none is declared, or the declared one does not occur, the first line that looks like
    one is it.
    """
    content, start = part.content, part.body_start
    declared = part.parameters.get("boundary", "").rstrip()
    if declared:
        delimiter = b"--" + declared.encode("utf-8", "surrogateescape")
        at = _delimiter(content, delimiter, start, end)
        if at >= 0:
            return delimiter, at
    found = _ANY_DELIMITER.search(content, start, min(end, start + MAX_HEADER_BLOCK))
    return (b"--" + found[1], found.start(1) - 2) if found else (b"", -1)

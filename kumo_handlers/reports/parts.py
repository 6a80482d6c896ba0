"""The parts of a message (RFC 2046, 5.1): ranges of its content, found one after the other."""

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
# Multiparts without parts inside count, too.
MAX_VISITED = 1000
MAX_PREAMBLE = 64 * 1024
# A report's own parts are small; a returned message may be as large as messages are.
MAX_TEXT = 4 * 1024 * 1024

_BLANK_LINE = re.compile(rb"\n\r*+\n")
_LEADING_LINES = re.compile(rb"[\r\n]*+")
_ANY_DELIMITER = re.compile(rb"\n--([^\s-][^\s]{0,199}+)[ \t]*+\r?\nContent-", re.IGNORECASE)
_LINE = rb"[^\n]*+(?:\n|\Z)"
_HEADER_LINES = re.compile(rb"(?:[!-9;-~]++[ \t]*+:" + _LINE + rb"(?:[ \t]" + _LINE + rb")*+)*+")
_TYPE = re.compile(
    rb"\ncontent-type[ \t]*+:\s*+([a-z0-9.+_-]++/[a-z0-9.+_-]++)[\s;]", re.IGNORECASE
)
_FIELD = re.compile(rb"\ncontent-type[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+", re.IGNORECASE)
_BOUNDARY = re.compile(rb"""[;\s]boundary\s*+=\s*+(?:"([^"\\\n]++)"|([^\s;"]++))""", re.IGNORECASE)


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
        return header_fields.read(raw[start : header_end(raw, start, len(raw))[0]])


def _skip_lines(content: bytes) -> int:
    """Where the header block starts: some gateways put an empty line before it."""
    found = _LEADING_LINES.match(content) if content[:1] in (b"\r", b"\n") else None
    return found.end() if found else 0


def header_end(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Where a header block ends, and where the body after it starts."""
    blank = _BLANK_LINE.search(content, max(start - 1, 0), min(end, start + MAX_HEADER_BLOCK))
    if blank:
        return max(blank.start() + 1, start), blank.end()
    # RFC 5322 wants an empty line. Without one the block ends at the first line that is no field.
    known = _HEADER_LINES.match(content, start, min(end, start + MAX_HEADER_BLOCK))
    stop = known.end() if known else start
    return stop, stop


def part(content: bytes, start: int, end: int, default: str, depth: int) -> Part:
    """The part that fills a range of the content; ``default`` is its type if it declares none."""
    block_end, body_start = header_end(content, start, end)
    if found := _TYPE.search(content, max(start - 1, 0), body_start):
        kind = found[1].decode().lower()
    else:
        block = content[start:block_end]
        kind = _declared(block, block.lower(), default)
    return Part(content, start, body_start, end, kind, depth)


def _declared(block: bytes, lowered: bytes, default: str) -> str:
    """The type in a header block. What is no type is the default (RFC 2045, 5.2)."""
    if b"content-type" not in lowered:
        return default
    kind = header_fields.content_type(header_fields.first(block, lowered, b"content-type") or "")
    return kind if "/" in kind else default


def leaves(root: Part) -> tuple[Part, ...]:
    """The parts that have no parts, in their order: the first `MAX_PARTS` of them.

    Never empty: a multipart in which no part can be found is its own leaf.
    """
    found: list[Part] = []
    open_parts = [iter((root,))]
    for _ in range(MAX_VISITED):
        current = next(open_parts[-1], None)
        if current is None:
            open_parts.pop()
            if not open_parts:
                break
        elif current.is_multipart and current.depth < MAX_DEPTH:
            open_parts.append(_children(current))
        else:
            found.append(current)
            if len(found) >= MAX_PARTS:
                break
    return tuple(found) or (root,)


def _children(parent: Part) -> Iterator[Part]:
    """The parts of a multipart (RFC 2046, 5.1.1); the last one may be cut off anywhere."""
    content, end = parent.content, parent.end
    default = "message/rfc822" if parent.content_type == "multipart/digest" else "text/plain"
    delimiter, at = _first_delimiter(parent)
    while at >= 0 and not content.startswith(b"--", at + len(delimiter)):
        line_end = content.find(b"\n", at, end)
        if line_end < 0:
            return
        following = _delimiter(content, delimiter, line_end + 1, end)
        stop = end if following < 0 else _before_line_end(content, line_end + 1, following)
        yield part(content, line_end + 1, stop, default, parent.depth + 1)
        at = following


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


def _first_delimiter(parent: Part) -> tuple[bytes, int]:
    """The delimiter of a multipart, and where it first stands, -1 for nowhere.

    QUIRK: mail that was edited on its way declares a boundary that does not occur, or none; then
    the first line that looks like a delimiter, with a part's header behind it, is one.
    """
    content, start, end = parent.content, parent.body_start, parent.end
    declared = _boundary(parent)
    if declared:
        at = _delimiter(content, b"--" + declared, start, end)
        if at >= 0:
            return b"--" + declared, at
    found = _ANY_DELIMITER.search(content, max(start - 1, 0), min(end, start + MAX_PREAMBLE))
    return (b"--" + found[1], found.start() + 1) if found else (b"", -1)


def _boundary(parent: Part) -> bytes:
    """The boundary parameter, trailing blanks aside (RFC 2046, 5.1.1)."""
    field = _FIELD.search(parent.content, max(parent.start - 1, 0), parent.body_start)
    if field and (found := _BOUNDARY.search(field[0])):
        return (found[1] or found[2]).rstrip()
    boundary = parent.parameters.get("boundary", "").rstrip()
    return boundary.encode("utf-8", "surrogateescape")

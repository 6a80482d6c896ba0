"""The way through the parts of a message (RFC 2046, 5.1), bounded in number and in depth."""

from __future__ import annotations

import re

from kumo_handlers.reports import header_fields
from kumo_handlers.reports.parts import Part, header_end

MAX_PARTS = 200
MAX_DEPTH = 8
# Multiparts that hold nothing count, too.
MAX_VISITED = 1000
MAX_PREAMBLE = 64 * 1024
# A header block up to this is read in one go; `header_end` finds where a longer one ends.
MAX_SHORT = 16 * 1024
_CR = 0x0D

# Behind a delimiter: ``--`` at the last one; else the end of the line, and the part's header block
# where an empty line ends it, with the type that its first Content-Type declares as it should. A
# longer boundary may begin with ours, so nothing but blanks may stand behind a delimiter.
_LINES = rb"(?:[^\r\n][^\n]*+\n)*"
_DECLARED = (
    rb"(?i:content-type):[ \t]*+([A-Za-z0-9.+_-]++/[A-Za-z0-9.+_-]++)(?=[\s;])[^\n]*+\n" + _LINES
)
_HEAD = re.compile(
    rb"(?:(--)|[ \t]*+\r?(?:\n|\Z)"
    # Without an empty line all of it is given back, a line at a time: behind the first lines
    # nothing is tried again but where a Content-Type stands, of which there is one.
    rb"(?:((?:(?!(?i:content-type))[^\r\n][^\n]*+\n)*"
    rb"(?:" + _DECLARED + rb"|(?=(?i:content-type))" + _LINES + rb")?)\r?\n)?)"
)
_TYPE = re.compile(
    rb"\ncontent-type[ \t]*+:\s*+([a-z0-9.+_-]++/[a-z0-9.+_-]++)[\s;]", re.IGNORECASE
)
_FIELD = re.compile(rb"content-type[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+", re.IGNORECASE)
_LATER_FIELD = re.compile(rb"\n" + _FIELD.pattern, re.IGNORECASE)
_BOUNDARY = re.compile(rb"""[;\s]boundary\s*+=\s*+(?:"([^"\\\n]++)"|([^\s;"]++))""", re.IGNORECASE)
# Dashes alone are a line in a text.
_ANY_DELIMITER = re.compile(rb"(\n--(?!-*+\s)[^\s]{1,199}+)[ \t]*+\r?\nContent-", re.IGNORECASE)


def leaves(root: Part, boundary: bytes) -> tuple[Part, ...]:
    """The parts that have no parts, in their order: the first `MAX_PARTS` of them.

    Never empty: a multipart in which no part can be found is its own leaf.
    """
    if not root.is_multipart:
        return (root,)
    found: list[Part] = []
    _gather(root, boundary, found, [MAX_VISITED])
    return tuple(found) or (root,)


def _gather(parent: Part, boundary: bytes, found: list[Part], visits: list[int]) -> None:
    """Put the leaves of ``parent`` into ``found``; the last part may be cut off anywhere."""
    content, end = parent.content, parent.end
    delimiter, at = _first_delimiter(parent, boundary)
    length = len(delimiter)
    head: re.Match[bytes] | None = None
    while at >= 0:
        after = at + length
        following = _HEAD.match(content, after, min(after + MAX_SHORT, end))
        if following is not None:
            if head is not None:
                # The line end before a delimiter belongs to it (RFC 2046, 5.1.1).
                stop = at - 1 if content[at - 1] == _CR else at
                _take(_part(parent, head, stop), found, visits)
            if following[1] or not visits[0] or len(found) >= MAX_PARTS:
                return
            head = following
        at = content.find(delimiter, after, end)
    if head is not None:
        _take(_part(parent, head, end), found, visits)


def _take(part: Part, found: list[Part], visits: list[int]) -> None:
    visits[0] -= 1
    if part.is_multipart and part.depth < MAX_DEPTH:
        _gather(part, declared_boundary(part), found, visits)
    elif len(found) < MAX_PARTS:
        found.append(part)


def _part(parent: Part, head: re.Match[bytes], end: int) -> Part:
    """The part whose header ``head`` matched, and which ends before the next delimiter."""
    content, depth = parent.content, parent.depth + 1
    start, body_start = head.start(2), head.end()
    if (declared := head[3]) and body_start <= end:
        return Part(content, start, body_start, end, declared.decode().lower(), depth)
    default = "message/rfc822" if parent.content_type == "multipart/digest" else "text/plain"
    if start >= 0 and body_start <= end:
        if found := _TYPE.search(content, start - 1, body_start):
            return Part(content, start, body_start, end, found[1].decode().lower(), depth)
        if not head[2]:
            return Part(content, start, body_start, end, default, depth)
    # No type that is as it should be, or no empty line before the next delimiter.
    start = min(content.find(b"\n", head.start(), end) + 1 or end, end)
    block_end, body_start = header_end(content, start, end)
    block = content[start:block_end]
    declared = header_fields.first(block, block.lower(), b"content-type")
    kind = header_fields.content_type(declared or "")
    # RFC 2045, 5.2: what is no type counts as not declared.
    return Part(content, start, body_start, end, kind if "/" in kind else default, depth)


def _first_delimiter(parent: Part, boundary: bytes) -> tuple[bytes, int]:
    """What each part begins with, line feed included, and where it first stands; -1: nowhere.

    QUIRK: mail that was edited on its way declares a boundary that does not occur, or none; then
    the first line that looks like a delimiter, with a part's header behind it, is one.
    """
    # The line feed before the body may be the one that a delimiter begins with.
    content, start, end = parent.content, max(parent.body_start - 1, 0), parent.end
    if boundary:
        at = content.find(b"\n--" + boundary, start, end)
        if at >= 0:
            return b"\n--" + boundary, at
    found = _ANY_DELIMITER.search(content, start, min(end, start + MAX_PREAMBLE))
    return (found[1], found.start()) if found else (b"", -1)


def declared_boundary(parent: Part, field_at: int = -1) -> bytes:
    """The boundary that a multipart declares, ``b""`` for none (RFC 2046, 5.1.1).

    ``field_at`` is where its Content-Type begins, for those who know.
    """
    if field_at >= 0:
        field = _FIELD.match(parent.content, field_at, parent.body_start)
    else:
        field = _LATER_FIELD.search(parent.content, max(parent.start - 1, 0), parent.body_start)
    if field and (found := _BOUNDARY.search(field[0])):
        return (found[1] or found[2]).rstrip()
    # It has escapes, or sections (RFC 2231, 3), or the field is the very first line.
    return parent.parameters.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")

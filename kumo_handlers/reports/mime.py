"""The structure of a message over its bytes (RFC 2045, RFC 2046): lazy, bounded, forgiving.

Nothing is copied until it is asked for: a part is a range of the content. What is looked at is
bounded, so that no message can make its reader slow: so many parts, so deep, so much of a header
block. A part of type message/* is a leaf: what is returned in a report is never taken for the
report. Line endings are CRLF, LF, or, where there is no LF at all, CR.
"""

from __future__ import annotations

import re

import msgspec

from kumo_handlers.reports import header_fields, parts, walk
from kumo_handlers.reports.parts import Part

__all__ = ["Message", "Part"]

# The fields that tell whether a message may be a report.
SIGNS = frozenset({b"from", b"subject", b"content-type", b"return-path", b"x-failed-recipients"})
# A carriage return at the end of a value is left to `Message.sign`, which few ask.
_SIGNS = re.compile(
    rb"\n(%s)[ \t]*+:[ \t]*+(?:\r*+\n[ \t][ \t]*+)*+"
    rb"((?:\S[^\n]*+(?:\n[ \t][^\n]*+)*+)?)" % b"|".join(sorted(SIGNS))
)
_REPORTING = re.compile(rb"deliver|return|fail|report|complain|abuse|spam|feedback|notif")
_WINDOW = 4 * 1024
# From the first of them alone, so that no run of them is looked at twice.
_CRS = re.compile(rb"(?<!\r)\r\r++\n")
# Before that, an empty line stands before the header and not behind it.
_SHORTEST_HEADER = 10

Signs = dict[bytes, bytes]
# The content, where its header block and its body start, the block in lower case with a line feed
# before each line, and its signs. Nearly all mail is refused by these, without a `Message`.
Header = tuple[bytes, int, int, bytes, Signs]


def header(content: bytes) -> Header:
    """What is looked at first, and in all mail."""
    blank = parts.BLANK_LINE.search(content, 0, parts.MAX_HEADER_BLOCK)
    end, body_start = blank.span() if blank else (0, 0)
    if end >= _SHORTEST_HEADER:
        start, end = 0, end + 1
    else:
        if content.find(b"\n", 0, parts.MAX_HEADER_BLOCK) < 0:
            # QUIRK: mailboxes of the old Mac OS, and files that went through one.
            content = content.replace(b"\r", b"\n")
        start = parts.first_line(content, 0)
        end, body_start = parts.header_end(content, start, len(content))
    lowered = b"\n" + content[start:end].lower()
    # The first of several counts, so it has to be the last that is put in.
    return content, start, body_start, lowered, dict(reversed(_SIGNS.findall(lowered)))


class Message:
    """A message as received. ``reverse_path`` is None where it is not known.

    ``lowered`` is the header block in lower case, a line feed before each line; ``signs`` are the
    first of each of the fields that ordinary mail is refused by, as it came, in lower case: folds
    and encoded words are still in it, and a carriage return at its end.
    """

    __slots__ = (
        *("_headers", "_may_hold_reports", "_parts", "_root"),
        *("body_start", "content", "lowered", "reverse_path", "signs", "start"),
    )

    def __init__(
        self, content: bytes, reverse_path: str | None = None, seen: Header | None = None
    ) -> None:
        """``seen`` is the `header` of ``content``, for those who have it."""
        seen = seen or header(content)
        raw, _, body_start, _, _ = seen
        line_end = raw.find(b"\n", body_start)
        if raw[body_start - 3 : body_start] == b"\r\r\n" or raw[line_end - 2 : line_end] == b"\r\r":
            # QUIRK: what adds a CR to each line did so twice, for all lines or for the body's.
            seen = header(_CRS.sub(b"\r\n", content))
        self.content, self.start, self.body_start, self.lowered, self.signs = seen
        self.reverse_path = reverse_path
        self._root: Part | None = None
        self._headers: header_fields.Headers | None = None
        self._parts: tuple[Part, ...] | None = None
        self._may_hold_reports: bool | None = None

    def sign(self, name: bytes) -> bytes:
        """One of ``signs``, empty where there is no such field: for those in `SIGNS` alone."""
        return self.signs.get(name, b"").rstrip(b"\r")

    @property
    def root(self) -> Part:
        """The message as its own outermost part."""
        if self._root is None:
            kind = header_fields.content_type(self.sign(b"content-type").decode("latin-1"))
            if "/" not in kind:
                # RFC 2045, 5.2: what is not declared, or is no type, is text.
                kind = "text/plain"
            end = len(self.content)
            self._root = Part(self.content, self.start, self.body_start, end, kind)
        return self._root

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
        key = name.lower().encode()
        if key in SIGNS and key not in self.signs:
            return None
        block = self.content[self.start : self.start + len(self.lowered) - 1]
        return header_fields.first(b"\n" + block, self.lowered, key)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The leaves in their order, the first `walk.MAX_PARTS`; read once. Never empty."""
        if self._parts is None:
            root = self.root
            self._parts = walk.leaves(root, self._boundary()) if root.is_multipart else (root,)
            if root.is_multipart and self._parts[0] is root:
                self._decode_whole(root)
        return self._parts

    def _decode_whole(self, root: Part) -> None:
        """Find the parts where they are encoded all at once, and keep them in plain text.

        QUIRK: gateways do so, against RFC 2045, 6.4.
        """
        if not (encoded := root.transfer_encoding):
            return
        content = self.content[: self.body_start] + root.decoded(encoded=encoded)
        whole = msgspec.structs.replace(root, content=content, end=len(content))
        found = walk.leaves(whole, self._boundary())
        if found[0] is not whole:
            self.content, self._root, self._parts = content, whole, found

    def _boundary(self) -> bytes:
        # The line feed that the lower-case copy begins with is none of the content's.
        at = self.lowered.find(b"\ncontent-type:")
        return walk.declared_boundary(self.root, self.start + at if at >= 0 else -1)

    @property
    def may_hold_reports(self) -> bool:
        """Whether type and body are such that a walk for report parts is worth it; asked once."""
        if self._may_hold_reports is None:
            self._may_hold_reports = may_hold_reports(
                self.signs, self.content, self.body_start, self.reverse_path
            )
        return self._may_hold_reports


def may_hold_reports(
    found: Signs, content: bytes, body_start: int, reverse_path: str | None
) -> bool:
    """What `Message.may_hold_reports` says, for those who have no `Message` yet."""
    declared = found.get(b"content-type", b"")
    # QUIRK: CPython's ``in`` takes what is looked for in bytes for a number first, and makes an
    # error of it that nobody sees: `find` takes a third of the time.
    if declared.find(b"delivery-status") >= 0 or declared.find(b"feedback-report") >= 0:
        return True
    if not declared.startswith((b"multipart/", b"message/")):
        return False
    if declared.startswith((b"multipart/report", b"message/")):
        return True
    return _is_from_mailer(found, reverse_path) or (
        declared.startswith((b"multipart/mixed", b"multipart/related"))
        and _is_worth_a_walk(found, content, body_start)
    )


def _is_from_mailer(found: Signs, reverse_path: str | None) -> bool:
    sender = found.get(b"from", b"")
    return reverse_path == "" or sender.find(b"daemon") >= 0 or sender.find(b"postmaster") >= 0


def _is_worth_a_walk(found: Signs, content: bytes, body_start: int) -> bool:
    """Whether anybody's multipart may hold a report: such mail is mostly ordinary."""
    if _REPORTING.search(found.get(b"subject", b"")):
        return True
    # The parts of a report come early.
    return content.find(b"essage/", body_start, body_start + _WINDOW) >= 0

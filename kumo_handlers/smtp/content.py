"""What was read of a message's content, and whether it can be accepted.

Nothing here loops over lines: content is searched and replaced in pieces as large as they come.
"""

from __future__ import annotations

import re
from io import IncrementalNewlineDecoder
from typing import TYPE_CHECKING, Final, Protocol

from kumo_handlers.policy.listener import LineEndings, Listener
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.lines import CRLF

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply

# What the standard library says of text whose line ends, if it has any, are CRLF.
_WHOLE: Final = (None, "\r\n")
# Looked up once: an enum finds its members by calls of Python's.
_ALLOW: Final = LineEndings.ALLOW
_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class Reader(Protocol):
    """Reads input that is not a command line."""

    def feed(self, chunk: bytes) -> bytes | None:
        """Read on. None while the end is not in sight, else what came after the end."""
        ...


class Content:
    """The content of one message, piece by piece, and the limits of `Listener` on it.

    Sizes are octets; a line's is without CRLF and with dot-stuffing undone (RFC 5321,
    4.5.3.1.6). Content that breaks a rule is not kept.
    """

    __slots__ = ("_content", "_endings", "_has_bare", "_line", "_max_line", "_max_size", "_size")

    def __init__(self, listener: Listener) -> None:
        self._max_size = listener.max_message_size
        self._max_line = listener.line_length_hard_limit
        self._endings = listener.invalid_line_endings
        self._content = bytearray()
        self._size = 0
        self._line = 0
        self._has_bare = False

    def add(self, piece: bytes) -> None:
        """Take a piece that neither begins nor ends within a CRLF."""
        self._size += len(piece)
        if self._size <= self._max_size and self._line <= self._max_line:
            self._read_lines(piece)
        if self.fault is not None:
            self._content.clear()

    @property
    def fault(self) -> Reply | None:
        """Why this content cannot be accepted, if it cannot: the same whatever the pieces were."""
        if self._size > self._max_size:
            return replies.MESSAGE_TOO_BIG
        if self._line > self._max_line:
            return replies.LINE_TOO_LONG
        if self._has_bare and self._endings is LineEndings.DENY:
            return replies.BAD_LINE_ENDINGS
        return None

    def __bytes__(self) -> bytes:
        return bytes(self._content)

    def _read_lines(self, piece: bytes) -> None:
        if _has_bare(piece):
            self._has_bare = True
            if self._endings is LineEndings.FIX:
                piece = _BARE.sub(CRLF, piece)
        line_end = b"\n" if self._endings is _ALLOW else CRLF
        self._line = _measure(piece, self._line, self._max_line, line_end)
        self._content += piece


def _has_bare(piece: bytes) -> bool:
    """Whether a CR or LF stands alone in ``piece``, which cuts no CRLF in two.

    What knows the line ends of text files sees in one pass, in C, which kinds there are.
    """
    ends = IncrementalNewlineDecoder(None, translate=False)
    ends.decode(piece.decode("latin-1"), final=True)
    return ends.newlines not in _WHOLE


def _measure(piece: bytes, line: int, limit: int, line_end: bytes) -> int:
    """The length of the line that ``piece`` leaves open, or more than ``limit`` if one is longer.

    ``line`` is the length that the line already had. Each step looks for the last line end that a
    line of ``limit`` octets could have, so that a step covers ``limit`` octets, not one line.
    """
    start, size, width = -line, len(piece), len(line_end)
    while size - start > limit:
        end = piece.rfind(line_end, max(start, 0), start + limit + len(CRLF))
        if end < 0:
            return limit + 1
        start = end + width
    end = piece.rfind(line_end, max(start, 0))
    return size - (start if end < 0 else end + width)

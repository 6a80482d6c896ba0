"""The content of a message: from 354 to the line with a single dot (RFC 5321, 4.5.2).

The attack to know is SMTP smuggling: a sender hides ``LF . LF`` or the like in a message, one
server takes it for the end and the next does not, and what follows is a second message with an
envelope of the attacker's choice. So here is one rule without exception: the end is
``CR LF . CR LF``, and a dot is undone only where it follows ``CR LF``. What `LineEndings` allows
changes what becomes of a bare CR or LF, never where the content ends.

Nothing loops over lines: the content is searched and replaced in pieces as large as they come.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kumo_handlers.policy.listener import LineEndings
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.lines import CRLF

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply

END = b"\r\n.\r\n"
_STUFFED = b"\r\n."
# The beginnings of END: a piece that stops in one of them is not read beyond it.
_BEGINNINGS = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class ContentReader:
    """Reads one message's content, whatever its pieces.

    ``max_size`` and ``max_line`` are octets, the latter without CRLF and with dot-stuffing undone
    (RFC 5321, 4.5.3.1.6). Content that breaks a rule is read to its end but not kept.
    """

    __slots__ = ("_content", "_endings", "_has_bare", "_held", "_line", "_max_line", "_max_size",
                 "_size", "_start")  # fmt: skip

    def __init__(self, max_size: int, max_line: int, endings: LineEndings) -> None:
        self._max_size = max_size
        self._max_line = max_line
        self._endings = endings
        self._content = bytearray()
        # The CRLF of the DATA command stands before the content, so that its first line is like
        # all others; `_start` octets of what is read are not content.
        self._held = CRLF
        self._start = len(CRLF)
        self._size = 0
        self._line = 0
        self._has_bare = False

    def feed(self, chunk: bytes) -> bytes | None:
        """Read on. None while the end is not in sight, else what came after the end."""
        unread = self._held + chunk
        end = unread.find(END)
        if end >= 0:
            self._read(unread[: end + len(CRLF)])
            return unread[end + len(END) :]
        keep = _unfinished(unread)
        self._read(unread[: len(unread) - keep])
        self._held = unread[len(unread) - keep :]
        return None

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

    def content(self) -> bytes:
        """The content, dot-stuffing undone."""
        return bytes(self._content)

    def _read(self, piece: bytes) -> None:
        """Read a piece that begins and ends where no CRLF and no stuffed dot is torn apart."""
        if not piece:
            return
        piece = piece.replace(_STUFFED, CRLF)
        if self._start:
            piece = piece[self._start :]
            self._start = 0
        self._size += len(piece)
        if self._size <= self._max_size and self._line <= self._max_line:
            self._read_lines(piece)
        if self.fault is not None:
            self._content.clear()

    def _read_lines(self, piece: bytes) -> None:
        pairs = piece.count(CRLF)
        if piece.count(b"\n") != pairs or piece.count(b"\r") != pairs:
            self._has_bare = True
            if self._endings is LineEndings.FIX:
                piece = _BARE.sub(CRLF, piece)
        line_end = b"\n" if self._endings is LineEndings.ALLOW else CRLF
        self._line = _measure(piece, self._line, self._max_line, line_end)
        self._content += piece


def _unfinished(unread: bytes) -> int:
    """How many of the last octets may be the beginning of the end."""
    for beginning in _BEGINNINGS:
        if unread.endswith(beginning):
            return len(beginning)
    return 0


def _measure(piece: bytes, line: int, limit: int, line_end: bytes) -> int:
    """The length of the line that ``piece`` leaves open, or more than ``limit`` if one is longer.

    ``line`` is the length that the line already had. Each step looks for the last line end that a
    line of ``limit`` octets could have, so that a step covers ``limit`` octets, not one line.
    """
    start = -line
    while len(piece) - start > limit:
        end = piece.rfind(line_end, max(start, 0), start + limit + len(CRLF))
        if end < 0:
            return limit + 1
        start = end + len(line_end)
    end = piece.rfind(line_end, max(start, 0))
    return len(piece) - (start if end < 0 else end + len(line_end))

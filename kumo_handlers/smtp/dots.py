"""The content that follows DATA: up to the line with a single dot (RFC 5321, 4.5.2).

The attack to know is SMTP smuggling: a sender hides ``LF . LF`` or the like in a message, one
server takes it for the end and the next does not, and what follows is a second message with an
envelope of the attacker's choice. So here is one rule without exception: the end is
``CR LF . CR LF``, and a dot is undone only where it follows ``CR LF``. What `LineEndings` allows
changes what becomes of a bare CR or LF, never where the content ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kumo_handlers.smtp.lines import CRLF

if TYPE_CHECKING:
    from kumo_handlers.smtp.content import Content

END: Final = b"\r\n.\r\n"
_STUFFED: Final = b"\r\n."
# The beginnings of END: a piece that stops in one of them is not read beyond it.
_BEGINNINGS: Final = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")


class DotReader:
    """Reads one message's content into ``content``, dot-stuffing undone."""

    __slots__ = ("_content", "_held", "_start")

    def __init__(self, content: Content) -> None:
        self._content = content
        # The CRLF of the DATA command stands before the content, so that its first line is like
        # all others; `_start` octets of what is read are not content.
        self._held = CRLF
        self._start = len(CRLF)

    def feed(self, chunk: bytes) -> bytes | None:
        """Read on. None while the end is not in sight, else what came after the end."""
        if not chunk:
            return None
        unread = self._held + chunk
        # So begins the end, and so does each line with a stuffed dot; most messages have none.
        dot = unread.find(_STUFFED)
        end = unread.find(END, dot) if dot >= 0 else -1
        if end >= 0:
            self._read(unread[: end + len(CRLF)], is_stuffed=dot < end)
            return unread[end + len(END) :]
        keep = _unfinished(unread)
        self._read(unread[: len(unread) - keep], is_stuffed=dot >= 0)
        self._held = unread[len(unread) - keep :]
        return None

    def _read(self, piece: bytes, *, is_stuffed: bool) -> None:
        """Read a piece that begins and ends where no CRLF and no stuffed dot is torn apart."""
        if not piece:
            return
        if is_stuffed:
            piece = piece.replace(_STUFFED, CRLF)
        if self._start:
            piece = piece[self._start :]
            self._start = 0
        self._content.add(piece)


def _unfinished(unread: bytes) -> int:
    """How many of the last octets may be the beginning of the end."""
    for beginning in _BEGINNINGS:
        if unread.endswith(beginning):
            return len(beginning)
    return 0

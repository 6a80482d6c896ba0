"""Command lines out of whatever pieces the network brings.

A line ends with CRLF and with nothing else (RFC 5321, 2.3.8). A bare CR or LF is part of the line
it stands in: two servers that disagree about where a command ends can be played off against each
other.
"""

from __future__ import annotations

CRLF = b"\r\n"


class LineBuffer:
    """What the client sent and nobody has read yet."""

    __slots__ = ("_at", "_bytes", "_overlong")

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0
        self._overlong = b""

    def __len__(self) -> int:
        return len(self._bytes) - self._at

    def is_empty(self) -> bool:
        """Whether all that came in was read."""
        return self._at == len(self._bytes)

    def feed(self, chunk: bytes) -> None:
        """Add what came in."""
        self._bytes = chunk if self._at == len(self._bytes) else self._bytes[self._at :] + chunk
        self._at = 0

    def take_line(self, limit: int) -> bytes | None:
        """The next line without its CRLF, or None if it has not come in whole.

        Of a line longer than ``limit`` octets only some more than ``limit`` are kept, so that the
        caller sees that it is too long.
        """
        start = self._at
        end = self._bytes.find(CRLF, start)
        if end < 0:
            if start < len(self._bytes):
                self._drop_beyond(limit)
            return None
        self._at = end + len(CRLF)
        if not self._overlong:
            return self._bytes[start:end]
        line, self._overlong = self._overlong, b""
        return line

    def take_rest(self) -> bytes:
        """All that is there."""
        rest = self._bytes[self._at :] if self._at else self._bytes
        self.clear()
        return rest

    def clear(self) -> None:
        """Forget all that is there."""
        self._bytes = b""
        self._at = 0

    @property
    def has_unfinished_line(self) -> bool:
        """Whether a line began that has not ended."""
        return bool(self._overlong or len(self))

    def _drop_beyond(self, limit: int) -> None:
        # A last CR may be the first half of the CRLF: it counts neither way before the next byte.
        room = 0 if self._overlong else limit + len(CRLF)
        if len(self) <= room:
            return
        self._overlong = self._overlong or self._bytes[self._at : self._at + limit + 1]
        last = self._bytes[-1:]
        self._bytes = last if last == b"\r" else b""
        self._at = 0

"""Content in chunks of a known length (RFC 3030): nothing in it is searched for an end.

A chunk of a BDAT that is refused is read all the same, and forgotten: its octets were never meant
as commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kumo_handlers.smtp.content import Content


class Chunks:
    """The chunks of one message, as one content: a CRLF may be cut in two by their border."""

    __slots__ = ("_held", "content")

    def __init__(self, content: Content) -> None:
        self.content = content
        self._held = b""

    def add(self, piece: bytes) -> None:
        """Take some octets of a chunk."""
        piece = self._held + piece
        self._held = piece[-1:] if piece.endswith(b"\r") else b""
        self.content.add(piece.removesuffix(b"\r") if self._held else piece)

    def finish(self) -> None:
        """There will be no more."""
        self.content.add(self._held)
        self._held = b""


class ChunkReader:
    """Reads ``octets`` of input into ``chunks``, or nowhere."""

    __slots__ = ("_chunks", "_octets")

    def __init__(self, octets: int, chunks: Chunks | None) -> None:
        self._octets = octets
        self._chunks = chunks

    def feed(self, chunk: bytes) -> bytes | None:
        """Read on. None while octets are missing, else what came after them."""
        piece = chunk[: self._octets]
        self._octets -= len(piece)
        if self._chunks is not None:
            self._chunks.add(piece)
        return None if self._octets else chunk[len(piece) :]

"""Chunks: their borders make no difference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy.listener import LineEndings, Listener
from kumo_handlers.smtp.chunks import ChunkReader, Chunks
from kumo_handlers.smtp.content import Content

CHUNKS = st.lists(
    st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"abc"]), max_size=6).map(b"".join)
)


def read(chunks: list[bytes], endings: LineEndings) -> tuple[bytes, object]:
    """What becomes of a message in these chunks."""
    taken = Chunks(Content(Listener(invalid_line_endings=endings)))
    for chunk in chunks:
        for octet in [chunk[at : at + 1] for at in range(len(chunk))]:
            taken.add(octet)
    taken.finish()
    return bytes(taken.content), taken.content.fault


@given(chunks=CHUNKS, endings=st.sampled_from(LineEndings))
def test_borders_make_no_difference(chunks: list[bytes], endings: LineEndings) -> None:
    """Many chunks are read as one, a CRLF that is cut in two included."""
    assert read(chunks, endings) == read([b"".join(chunks)], endings)


@given(octets=st.binary(max_size=30), size=st.integers(0, 30))
def test_a_chunk_ends_where_it_was_said(octets: bytes, size: int) -> None:
    """Neither an octet more nor less, whatever they are."""
    taken = Chunks(Content(Listener(invalid_line_endings=LineEndings.ALLOW)))
    rest = ChunkReader(size, taken).feed(octets)
    assert rest == (octets[size:] if len(octets) >= size else None)
    taken.finish()
    assert bytes(taken.content) == octets[:size]

"""Lines out of pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.smtp.lines import LineBuffer

LIMIT = 8
PIECES = st.lists(
    st.lists(st.sampled_from([b"a", b"bcdef", b"\r", b"\n", b"\r\n"]), max_size=6).map(b"".join),
    max_size=8,
)


def take_all(buffer: LineBuffer) -> list[bytes]:
    """All lines that are there, cut behind the limit."""
    lines = []
    while (line := buffer.take_line(LIMIT)) is not None:
        lines.append(line[: LIMIT + 1])
    return lines


@given(PIECES)
def test_lines_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    """The lines are those of the whole, and one too long is seen to be."""
    buffer = LineBuffer()
    lines = []
    for piece in pieces:
        buffer.feed(piece)
        lines += take_all(buffer)
    whole = b"".join(pieces).split(b"\r\n")
    assert lines == [line[: LIMIT + 1] for line in whole[:-1]]
    assert buffer.has_unfinished_line == bool(whole[-1])


def test_a_line_too_long_is_not_kept() -> None:
    """A line without an end costs a few octets more than the limit."""
    buffer = LineBuffer()
    for _ in range(1000):
        buffer.feed(b"x" * 100)
        assert buffer.take_line(LIMIT) is None
    assert len(buffer) == 0


@pytest.mark.parametrize("taken", [0, 1])
def test_the_rest_is_what_was_not_taken(taken: int) -> None:
    """Content begins where the last line ended."""
    buffer = LineBuffer()
    buffer.feed(b"one\r\ntwo\r\n")
    for _ in range(taken):
        buffer.take_line(LIMIT)
    assert buffer.take_rest() == b"one\r\ntwo\r\n"[5 * taken :]
    assert not buffer.has_unfinished_line

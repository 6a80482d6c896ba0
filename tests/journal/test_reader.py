"""The log read back, forwards, backwards, and while it is being written."""

from __future__ import annotations

from itertools import islice
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.journal import reader
from kumo_handlers.journal.segment import begun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST, SECOND, THIRD = (f"20260131-{hour}0000.jsonl" for hour in (10, 11, 12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three segments, the newest with a torn line, and a file that is none of ours."""
    (tmp_path / FIRST).write_bytes(b"1\n2\n")
    (tmp_path / SECOND).write_bytes(b"3\n")
    (tmp_path / THIRD).write_bytes(b"4\n5\ntor")
    (tmp_path / "notes.jsonl").write_bytes(b"x\n")
    return tmp_path


def test_all_lines_in_their_order(folder: Path) -> None:
    """Whole lines alone; what is torn is not there yet."""
    found = list(reader.lines(folder, 0.0, reader.end_of(folder)))
    assert found == [b"1", b"2", b"3", b"4", b"5"]


def test_backwards(folder: Path) -> None:
    """The same lines, the newest first."""
    found = list(reader.lines_backwards(folder, reader.end_of(folder)))
    assert found == [b"5", b"4", b"3", b"2", b"1"]


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (-1.0, [FIRST, SECOND, THIRD]),
        (0.0, [SECOND, THIRD]),
        (3599.0, [SECOND, THIRD]),
        (3600.0, [THIRD]),
        (1e9, [THIRD]),
    ],
)
def test_old_segments_are_not_opened(folder: Path, offset: float, expected: list[str]) -> None:
    """A segment counts until the next one was begun."""
    since = begun(folder / SECOND) + offset
    assert [path.name for path in reader.chosen(folder, since)] == expected


def test_nothing_after_the_place(folder: Path) -> None:
    """What is logged while the old lines are shown is not shown twice."""
    place = reader.end_of(folder)
    with (folder / THIRD).open("ab") as file:
        file.write(b"n\n6\n")
    (folder / "20260131-130000.jsonl").write_bytes(b"7\n")
    assert list(reader.lines(folder, 0.0, place))[-1] == b"5"
    assert next(reader.lines_backwards(folder, place)) == b"5"
    assert list(islice(reader.follow(folder, place), 3)) == [b"torn", b"6", b"7"]


@given(
    content=st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"")),
    size=st.integers(1, 9),
)
def test_block_size_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int
) -> None:
    """Forwards and backwards give what splitting the whole file gives."""
    path = tmp_path_factory.mktemp("log") / FIRST
    path.write_bytes(content)
    expected = content.split(b"\n")[:-1]
    before, reader.BLOCK = reader.BLOCK, size
    try:
        end = reader.end_of(path.parent)
        assert b"".join(reader.blocks(path)).split(b"\n")[:-1] == expected
        assert list(reader.lines_backwards(path.parent, end)) == expected[::-1]
        assert end.offset == content.rfind(b"\n") + 1
    finally:
        reader.BLOCK = before


def following(folder: Path, steps: list[object]) -> Iterator[bytes]:
    """Follow from the end; each step is done when all there is was read."""

    def wait(_: float) -> None:
        if not steps:
            raise LookupError
        steps.pop(0)()  # type: ignore[operator]

    try:
        yield from reader.follow(folder, reader.end_of(folder), wait)
    except LookupError:
        return


def test_follow_through_rotation_repair_and_loss(folder: Path) -> None:
    """A torn line that is repaired, a line in pieces, a new segment, one that is deleted."""
    newest, fourth = folder / THIRD, folder / "20260131-130000.jsonl"

    def append(path: Path, text: bytes) -> None:
        with path.open("ab") as file:
            file.write(text)

    def delete() -> None:
        newest.unlink()
        append(fourth, b"8\n")

    steps: list[object] = [
        lambda: newest.write_bytes(b"4\n5\n"),
        lambda: append(newest, b"six"),
        lambda: append(newest, b"!\n7\n"),
        delete,
        lambda: fourth.write_bytes(b""),
        lambda: append(fourth, b"9\n"),
    ]
    assert list(following(folder, steps)) == [b"six!", b"7", b"8", b"9"]


def test_no_log_yet(tmp_path: Path) -> None:
    """Following begins before there is anything."""
    steps: list[object] = [lambda: (tmp_path / FIRST).write_bytes(b"1\n")]
    assert list(following(tmp_path, steps)) == [b"1"]
    assert reader.end_of(tmp_path / "none") == reader.START
    assert list(reader.blocks(tmp_path / "gone.jsonl", 0, inf)) == []

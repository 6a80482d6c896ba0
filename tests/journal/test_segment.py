"""One log file: whole lines or none."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.journal.segment import Segment, begun, name_of, segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    """An open segment in an empty folder."""
    opened = Segment(tmp_path / "20240102-030405.jsonl")
    yield opened
    opened.close()


def test_appends_whole_lines(segment: Segment) -> None:
    """What is appended stands at the end, in order."""
    segment.append(b"one\n")
    segment.append(b"two\nthree\n")
    assert segment.path.read_bytes() == b"one\ntwo\nthree\n"
    assert segment.size == 14


def test_failed_append_leaves_no_torn_line(segment: Segment) -> None:
    """A write that stops half-way (here: at the largest size a file may have) is taken back."""
    segment.append(b"whole\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            segment.append(b"longer than three bytes\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert segment.path.read_bytes() == b"whole\n"
    segment.append(b"again\n")
    assert segment.path.read_bytes() == b"whole\nagain\n"


@pytest.mark.parametrize(
    ("found", "whole"),
    [
        (b"", b""),
        (b"one\n", b"one\n"),
        (b"one\ntw", b"one\n"),
        (b"tw", b""),
        (b"one\n" + b"x" * 200_000, b"one\n"),
        (b"x" * 200_000 + b"\ny", b"x" * 200_000 + b"\n"),
    ],
)
def test_repair(tmp_path: Path, found: bytes, whole: bytes) -> None:
    """A last line without its line feed is taken away, and told; whole lines stay."""
    path = tmp_path / "20240102-030405.jsonl"
    path.write_bytes(found)
    segment = Segment(path)
    assert segment.repair() == found[len(whole) :]
    assert path.read_bytes() == whole
    assert segment.size == len(whole)
    segment.close()


def test_unsynced_lines_of_a_deleted_file(segment: Segment) -> None:
    """What was not synced can be read back from a deleted file as long as it is open."""
    segment.append(b"synced\n")
    segment.sync()
    segment.append(b"not yet\n")
    segment.path.unlink()
    assert not segment.is_in_place()
    assert segment.unsynced() == b"not yet\n"


def test_moved_file_keeps_its_lines(segment: Segment) -> None:
    """A file that was moved away holds its lines: there is nothing to write again."""
    segment.append(b"not yet\n")
    segment.path.rename(segment.path.with_suffix(".1"))
    assert not segment.is_in_place()
    assert segment.unsynced() == b""


def test_replaced_file_is_not_ours(segment: Segment) -> None:
    """Another file of the same name is another file."""
    segment.path.unlink()
    segment.path.write_bytes(b"")
    assert not segment.is_in_place()


def test_file_cut_by_somebody_else(segment: Segment) -> None:
    """The length is learnt anew, so that a later repair cannot stretch the file."""
    segment.append(b"one\ntwo\n")
    os.truncate(segment.path, 0)
    assert segment.is_in_place()
    assert segment.was_resized()
    assert segment.size == 0
    assert not segment.was_resized()


def test_names_are_times() -> None:
    """A segment is named for the second it was begun in, in UTC."""
    assert name_of(1704164645.9) == "20240102-030405.jsonl"


def test_begun_is_the_inverse_of_name_of(tmp_path: Path) -> None:
    """The name says when."""
    assert begun(tmp_path / name_of(1704164645.0)) == 1704164645.0


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    """Only files that are named as segments are, the oldest first."""
    for name in ("20240102-030406.jsonl", "20240102-030405.jsonl", "notes.jsonl", "x.log"):
        (tmp_path / name).touch()
    found = [path.name for path in segments(tmp_path)]
    assert found == ["20240102-030405.jsonl", "20240102-030406.jsonl"]

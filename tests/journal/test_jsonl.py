"""The log as segments of JSON lines."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.journal.jsonl import JsonLines

if TYPE_CHECKING:
    from pathlib import Path

START = 1704164645.0  # 20240102-030405


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands still until it is moved."""
    return Clock()


def opened(folder: Path, clock: Clock, **options: int) -> JsonLines:
    """The sink, with a clock of ours."""
    return JsonLines(folder, clock=clock, **options)


def contents(folder: Path) -> dict[str, bytes]:
    """What stands in each file."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_first_segment_is_named_for_its_beginning(tmp_path: Path, clock: Clock) -> None:
    """The folder is made, and the first file in it."""
    folder = tmp_path / "run" / "log"
    sink = opened(folder, clock)
    sink.append(b"one\n")
    sink.close()
    assert contents(folder) == {"20240102-030405.jsonl": b"one\n"}


def test_new_segment_each_hour(tmp_path: Path, clock: Clock) -> None:
    """An hour after it was begun, a segment is followed by the next."""
    sink = opened(tmp_path, clock)
    sink.append(b"one\n")
    clock.now += 3599
    sink.append(b"two\n")
    clock.now += 1
    sink.append(b"three\n")
    sink.close()
    assert contents(tmp_path) == {
        "20240102-030405.jsonl": b"one\ntwo\n",
        "20240102-040405.jsonl": b"three\n",
    }


def test_new_segment_when_long_enough(tmp_path: Path, clock: Clock) -> None:
    """Two segments begun within one second have names in order, and neither is overwritten."""
    sink = opened(tmp_path, clock, max_segment_size=4)
    for line in (b"one\n", b"two\n", b"six\n"):
        sink.append(line)
    sink.close()
    assert contents(tmp_path) == {
        "20240102-030405.jsonl": b"one\n",
        "20240102-030406.jsonl": b"two\n",
        "20240102-030407.jsonl": b"six\n",
    }


def test_restart_goes_on_in_the_newest(tmp_path: Path, clock: Clock) -> None:
    """A young segment is not given up by a restart."""
    for line in (b"one\n", b"two\n"):
        sink = opened(tmp_path, clock)
        sink.append(line)
        sink.close()
    assert contents(tmp_path) == {"20240102-030405.jsonl": b"one\ntwo\n"}


def test_torn_line_is_repaired_and_said(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a line at the end of the newest segment is taken away, with a word in the log."""
    (tmp_path / "20240102-030405.jsonl").write_bytes(b'{"whole":1}\n{"to')
    with caplog.at_level(logging.WARNING):
        sink = opened(tmp_path, clock)
        sink.append(b"next\n")
    sink.close()
    assert contents(tmp_path) == {"20240102-030405.jsonl": b'{"whole":1}\nnext\n'}
    assert "torn line: 4 bytes" in caplog.text
    assert '{"to' in caplog.text


def test_deleted_segment_loses_nothing(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Lines not synced yet are written again; what follows goes to the new segment."""
    sink = opened(tmp_path, clock)
    sink.append(b"synced\n")
    sink.sync()
    sink.append(b"one\n")
    (tmp_path / "20240102-030405.jsonl").unlink()
    sink.append(b"two\n")
    sink.close()
    assert contents(tmp_path) == {"20240102-030406.jsonl": b"one\ntwo\n"}
    assert "is gone" in caplog.text


def test_deletion_is_noticed_by_sync(tmp_path: Path, clock: Clock) -> None:
    """A line is not called durable in a file that has no name any more."""
    sink = opened(tmp_path, clock)
    sink.append(b"one\n")
    (tmp_path / "20240102-030405.jsonl").unlink()
    assert sink.sync() == "20240102-030406.jsonl:4"
    sink.close()
    assert contents(tmp_path) == {"20240102-030406.jsonl": b"one\n"}


def test_deleted_folder_is_made_again(tmp_path: Path, clock: Clock) -> None:
    """Not even the folder need be there."""
    folder = tmp_path / "log"
    sink = opened(folder, clock)
    sink.append(b"one\n")
    shutil.rmtree(folder)
    sink.append(b"two\n")
    sink.close()
    assert contents(folder) == {"20240102-030406.jsonl": b"one\ntwo\n"}


def test_moved_segment_is_not_repeated(tmp_path: Path, clock: Clock) -> None:
    """Log rotation by renaming: every line stands in exactly one file."""
    sink = opened(tmp_path, clock)
    sink.append(b"one\n")
    (tmp_path / "20240102-030405.jsonl").rename(tmp_path / "old.1")
    sink.append(b"two\n")
    sink.close()
    assert contents(tmp_path) == {"20240102-030406.jsonl": b"two\n", "old.1": b"one\n"}


def test_since_reads_on_from_a_position(tmp_path: Path, clock: Clock) -> None:
    """Lines after a position, over the end of its segment into the next."""
    sink = opened(tmp_path, clock, max_segment_size=8)
    sink.append(b"one\n")
    position = sink.sync()
    sink.append(b"two\n")
    sink.append(b"three\n")
    assert position == "20240102-030405.jsonl:4"
    assert list(sink.since(position)) == [b"two\n", b"three\n"]
    sink.close()


def test_since_a_segment_that_is_gone(tmp_path: Path, clock: Clock) -> None:
    """Only later segments count where the one of the position was taken away."""
    sink = opened(tmp_path, clock)
    sink.append(b"one\n")
    assert list(sink.since("20240102-030404.jsonl:77")) == [b"one\n"]
    assert list(sink.since("20240102-030406.jsonl:0")) == []
    sink.close()


def test_nothing_is_touched_before_the_first_use(tmp_path: Path, clock: Clock) -> None:
    """A half-written line may be another program's, which is still writing it."""
    (tmp_path / "20240102-030405.jsonl").write_bytes(b'{"to')
    opened(tmp_path, clock).close()
    assert contents(tmp_path) == {"20240102-030405.jsonl": b'{"to'}


def test_clock_set_back_keeps_the_order(tmp_path: Path, clock: Clock) -> None:
    """A new segment is named later than the last one, whatever the clock says."""
    sink = opened(tmp_path, clock, max_segment_size=4)
    sink.append(b"one\n")
    clock.now -= 7200
    sink.append(b"two\n")
    sink.close()
    assert list(contents(tmp_path)) == ["20240102-030405.jsonl", "20240102-030406.jsonl"]


def test_failure_is_the_callers(tmp_path: Path, clock: Clock) -> None:
    """Where no new segment can be made, nothing is taken, and service resumes by itself."""
    folder = tmp_path / "log"
    sink = opened(folder, clock)
    sink.sync()
    shutil.rmtree(folder)
    folder.write_bytes(b"in the way")
    with pytest.raises(OSError, match="exists"):
        sink.append(b"one\n")
    folder.unlink()
    sink.append(b"one\n")
    sink.close()
    assert list(contents(folder).values()) == [b"one\n"]

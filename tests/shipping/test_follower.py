"""The log followed: whole lines, in order, whatever becomes of its files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.shipping import follower
from kumo_handlers.shipping.follower import Follower
from kumo_handlers.shipping.state import Place

from .conftest import Log, line

if TYPE_CHECKING:
    from collections.abc import Iterator

START = Place()


def no_loss(place: Place) -> None:
    """Nothing may be gone here."""
    raise AssertionError(place)


def everything(log: Log, place: Place = START, **limits: int) -> tuple[list[bytes], Place]:
    """All there is behind a place."""
    found: list[bytes] = []
    reading = Follower(log.folder, place, no_loss)
    while stretch := reading.read(**limits):
        found += stretch.lines
        place = stretch.place
    reading.close()
    return found, place


steps = st.lists(
    st.one_of(
        st.binary(max_size=40).map(lambda octets: octets.replace(b"\n", b"-")),
        st.sampled_from(["segment", "restart", "read"]),
    ),
    max_size=40,
)


@given(steps=steps, lines=st.integers(1, 5), size=st.integers(1, 60))
def test_every_line_once_and_in_order(steps: list[bytes | str], lines: int, size: int) -> None:
    """However it is written and read, in many segments, with restarts between."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder) / "run")
        written: list[bytes] = []
        found: list[bytes] = []
        place = START
        reading = Follower(log.folder, place, no_loss)
        for step in [*steps, "read"]:
            if isinstance(step, bytes):
                written.append(step)
                log.write(step)
            elif step == "segment":
                log.begin()
            elif step == "restart":
                reading.close()
                reading = Follower(log.folder, place, no_loss)
            else:
                while stretch := reading.read(lines, size):
                    assert 0 < len(stretch.lines) <= lines
                    found += stretch.lines
                    place = stretch.place
        reading.close()
        assert found == written


def test_a_line_that_is_not_ended_is_left(log: Log) -> None:
    """Until it is."""
    log.write(line(1))
    log.write(b'{"type"', end=b"")
    found, place = everything(log)
    assert found == [line(1)]
    log.write(b": 2}")
    assert everything(log, place)[0] == [b'{"type": 2}']


def test_an_empty_log(tmp_path: Path) -> None:
    """There may be no folder yet."""
    assert Follower(tmp_path / "none", START, no_loss).read() is None


def test_a_deleted_segment_is_read_to_its_end(log: Log) -> None:
    """As long as it was open."""
    log.write(line(1), line(2))
    reading = Follower(log.folder, START, no_loss)
    assert reading.read(lines=1) is not None
    log.segment.unlink()
    log.begin()
    log.write(line(3))
    rest = list(read_all(reading))
    reading.close()
    assert rest == [line(2), line(3)]


def read_all(reading: Follower) -> Iterator[bytes]:
    """What is left."""
    while stretch := reading.read():
        yield from stretch.lines


def test_a_segment_that_is_gone_is_told(log: Log) -> None:
    """What could not be opened any more, and where it would have gone on."""
    log.write(line(1), line(2))
    _, place = everything(log, lines=1)
    gone: list[Place] = []
    before = Place(log.segment.name, place.inode, 5, 1)
    log.segment.unlink()
    log.begin()
    log.write(line(3))
    reading = Follower(log.folder, before, gone.append)
    assert list(read_all(reading)) == [line(3)]
    reading.close()
    assert gone == [before]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_segment_that_is_another_one(
    log: Log, *, replaced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Cut, or replaced under its name: its lines may be new, so all of them are shipped."""
    log.write(line(1), line(2))
    _, place = everything(log)
    if replaced:
        kept = log.segment.rename(log.folder / "kept")
        log.write(line(1), line(2), line(3))
        assert kept.exists()
    else:
        log.segment.write_bytes(line(3) + b"\n")
    expected = [line(1), line(2), line(3)] if replaced else [line(3)]
    assert everything(log, place)[0] == expected
    assert "from its start" in caplog.text


def test_a_line_longer_than_a_block(log: Log) -> None:
    """It is given whole."""
    long = b"x" * (3 * follower.MOST_BYTES)
    log.write(long, line(2))
    assert everything(log)[0] == [long, line(2)]


def test_an_end_that_is_no_line(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """A segment whose end was torn, and that nobody goes on with: it is said, and passed over."""
    log.write(b"torn", end=b"")
    log.begin()
    log.write(line(2))
    assert everything(log)[0] == [line(2)]
    assert "4 bytes that are no line" in caplog.text

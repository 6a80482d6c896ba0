"""How far a destination is behind, told from the files alone."""

from __future__ import annotations

from kumo_handlers.shipping import lag, state
from kumo_handlers.shipping.state import Extent, Place, State

from .conftest import NOON, Log, line


def test_nothing_was_shipped_yet(log: Log) -> None:
    """All of the log waits, though nobody ever looked at it."""
    log.write(line(1), line(2))
    found = lag.of(log.run_dir, "there", NOON)
    assert found.size == log.segment.stat().st_size
    assert found.records == 1  # at least
    assert found.seconds == 0.0


def test_nobody_ships_any_more(log: Log) -> None:
    """Bytes are counted now, seconds from when somebody last looked."""
    log.write(line(1), line(2))
    place = Place(log.segment.name, 0, len(line(1)) + 1, 1)
    known = State(name="there", place=place, behind=1, updated=NOON, extents={"x": Extent(1, 1)})
    state.save(log.run_dir / "ship", known)
    begun = log.begin()
    log.write(line(3))
    found = lag.of(log.run_dir, "there", NOON + 50)
    assert found.size == len(line(2)) + 1 + begun.stat().st_size
    assert (found.records, found.seconds) == (1, 50.0)


def test_the_first_that_waits_says_how_long(log: Log) -> None:
    """It was logged a minute ago."""
    log.write(line(1))
    known = State(name="there", oldest=NOON, updated=NOON + 59, behind=1)
    state.save(log.run_dir / "ship", known)
    assert lag.of(log.run_dir, "there", NOON + 60).seconds == 60.0


def test_nothing_waits(log: Log) -> None:
    """Then it is behind by nothing, however long ago that was."""
    log.write(line(1))
    place = Place(log.segment.name, 0, log.segment.stat().st_size, 1)
    known = State(name="there", place=place, updated=NOON)
    state.save(log.run_dir / "ship", known)
    found = lag.of(log.run_dir, "there", NOON + 99)
    assert (found.size, found.records, found.seconds) == (0, 0, 0.0)

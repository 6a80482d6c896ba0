"""Reports that were logged already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.queue.database import Database
from kumo_handlers.queue.report_keys import ReportKeys

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The committer's database."""
    database = Database(tmp_path)
    with database.transaction() as opened:
        yield opened
    database.close()


@pytest.mark.parametrize(
    ("later", "seen"), [(0, True), (99, True), (100, True), (199, True), (200, False)]
)
def test_remembered_for_its_age(
    connection: sqlite3.Connection, later: float, *, seen: bool
) -> None:
    """For the age at least, for twice the age at most."""
    clock = Clock()
    keys = ReportKeys(age=100, clock=clock)
    keys.add(connection, ["a"])
    clock.now += later
    assert keys.seen(connection, ["a", "b"]) == ({"a"} if seen else set())


def test_forgotten_keys_take_no_room(connection: sqlite3.Connection) -> None:
    """What is too old is deleted when newer keys come."""
    clock = Clock()
    keys = ReportKeys(age=100, clock=clock)
    keys.add(connection, ["a"])
    clock.now += 200
    keys.add(connection, ["b"])
    assert connection.execute("SELECT key FROM report_key").fetchall() == [("b",)]

"""Log lines between the commit and the sinks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import StorageError
from kumo_handlers.queue.database import Database
from kumo_handlers.queue.outbox import Feed, Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Memory:
    """A sink in memory, which may be broken."""

    def __init__(self) -> None:
        self.lines = b""
        self.is_broken = False
        self.is_closed = False

    def append(self, lines: bytes) -> None:
        """All or nothing."""
        self._fail()
        self.lines += lines

    def sync(self) -> str:
        """The position is a length."""
        self._fail()
        return str(len(self.lines))

    def since(self, position: str) -> Iterator[bytes]:
        """What was written later."""
        return iter(self.lines[int(position) :].splitlines(keepends=True))

    def close(self) -> None:
        """Close it, if that is possible."""
        self._fail()
        self.is_closed = True

    def _fail(self) -> None:
        if self.is_broken:
            raise OSError("broken")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """The committer's."""
    opened = Database(tmp_path)
    yield opened
    opened.close()


def commit(database: Database, outbox: Outbox, lines: bytes) -> None:
    """As the committer does it."""
    with database.transaction() as connection:
        number = outbox.add(connection, lines)
        struck = outbox.strike(connection)
    outbox.struck(struck)
    outbox.append(number, lines)


def rows(database: Database) -> list[bytes]:
    """What the outbox holds."""
    with database.reading() as connection:
        return [lines for (lines,) in connection.execute("SELECT lines FROM outbox")]


def test_struck_by_the_commit_after_the_sync(database: Database, tmp_path: Path) -> None:
    """Not before the sink is durable, and not without a commit."""
    sink = Memory()
    outbox = Outbox({"memory": sink}, tmp_path)
    commit(database, outbox, b"1\n")
    commit(database, outbox, b"2\n")
    assert rows(database) == [b"1\n", b"2\n"]
    outbox.sync()
    assert outbox.has_unsynced
    commit(database, outbox, b"3\n")
    assert rows(database) == [b"3\n"]
    assert sink.lines == b"1\n2\n3\n"


def test_slowest_sink_decides(database: Database, tmp_path: Path) -> None:
    """What one of two sinks lacks stays; each gets everything, in order, once."""
    good, bad = Memory(), Memory()
    outbox = Outbox({"good": good, "bad": bad}, tmp_path)
    commit(database, outbox, b"1\n")
    bad.is_broken = True
    with pytest.raises(StorageError, match="broken"):
        commit(database, outbox, b"2\n")
    assert outbox.is_behind
    with pytest.raises(StorageError):
        outbox.sync()
    bad.is_broken = False
    outbox.push()
    assert not outbox.is_behind
    assert good.lines == bad.lines == b"1\n2\n"


@given(
    st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"]), max_size=6), st.integers(0, 6), st.data()
)
def test_catching_up(lines: list[bytes], there: int, data: st.DataObject) -> None:
    """However the lines were cut into blocks, and however many arrived, each is there as often."""
    sink = Memory()
    sink.lines = b"old\n" + b"".join(lines[:there])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=3)))
    edges = [0, *cuts, len(lines)]
    blocks = [
        (number, b"".join(lines[start:end]))
        for number, (start, end) in enumerate(itertools.pairwise(edges))
    ]
    feed = Feed("memory", sink, None)  # type: ignore[arg-type] - only named in errors
    assert feed.catch_up("4", blocks) == max(0, len(lines) - there)
    assert sink.lines == b"old\n" + b"".join(lines)


def test_new_sink_starts_with_what_is_left(database: Database, tmp_path: Path) -> None:
    """A sink that was not there in the last run gets what the outbox still holds."""
    commit(database, Outbox({}, tmp_path), b"1\n")
    sink = Memory()
    outbox = Outbox({"memory": sink}, tmp_path)
    with database.transaction() as connection:
        outbox.reconcile(connection)
    assert sink.lines == b"1\n"
    assert rows(database) == []


def test_commit_that_failed_and_stood(database: Database, tmp_path: Path) -> None:
    """An error at the last moment: what SQLite kept all the same is shown, in its place."""
    sink = Memory()
    outbox = Outbox({"memory": sink}, tmp_path)
    commit(database, outbox, b"1\n")
    with database.transaction() as connection:
        outbox.add(connection, b"2\n")  # and nobody was told
    with database.transaction() as connection:
        outbox.recover(connection)
        number = outbox.add(connection, b"3\n")
    outbox.append(number, b"3\n")
    assert sink.lines == b"1\n2\n3\n"


def test_each_sink_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that fails does not keep the others open."""
    bad, good = Memory(), Memory()
    bad.is_broken = True
    Outbox({"bad": bad, "good": good}, tmp_path).close()
    assert good.is_closed
    assert "bad was not closed cleanly: broken" in caplog.text

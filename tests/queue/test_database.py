"""The SQLite file that holds the queue."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError, StorageFullError
from kumo_handlers.queue.database import FILE, Database, connect, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ADD = "INSERT INTO outbox (lines) VALUES (?)"
ALL = "SELECT lines FROM outbox ORDER BY number"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database in a folder that is not there yet."""
    opened = Database(tmp_path / "run" / "queue")
    yield opened
    opened.close()


def add(database: Database, lines: bytes) -> None:
    """One transaction."""
    with database.transaction() as connection:
        connection.execute(ADD, (lines,))


def found(database: Database) -> list[bytes]:
    """What a reader sees."""
    with database.reading() as connection:
        return [lines for (lines,) in connection.execute(ALL)]


def test_every_commit_is_flushed(database: Database) -> None:
    """WAL, and FULL: a commit survives the loss of power."""
    with database.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def add_and_fail(database: Database) -> None:
    """A transaction that its own block breaks off."""
    with database.transaction() as connection:
        connection.execute(ADD, (b"never",))
        raise ZeroDivisionError


def test_nothing_of_a_transaction_that_fails(database: Database) -> None:
    """An error within it leaves the database as it was, and usable."""
    add(database, b"before")
    with pytest.raises(ZeroDivisionError):
        add_and_fail(database)
    add(database, b"after")
    assert found(database) == [b"before", b"after"]


def test_mistakes_of_ours_are_no_storage_errors(database: Database) -> None:
    """They are one unit's fault, and not the disk's."""
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("INSERT INTO outbox (lines) VALUES (NULL)")


@pytest.mark.parametrize("text", ["database disk image is malformed", "file is not a database"])
def test_rubbish_in_the_file_is_a_storage_error(database: Database, text: str) -> None:
    """It is the fault of no unit; SQLite has no class of its own for it."""
    with pytest.raises(StorageError, match=text), database.transaction():
        raise sqlite3.DatabaseError(text)


def test_reader_sees_what_is_committed(database: Database) -> None:
    """Not what is being written; and it cannot write."""
    add(database, b"one")
    with database.transaction() as connection:
        connection.execute(ADD, (b"two",))
        assert found(database) == [b"one"]
    assert found(database) == [b"one", b"two"]
    with pytest.raises(StorageError, match="readonly"), database.reading() as reader:
        reader.execute(ADD, (b"three",))
    assert found(database) == [b"one", b"two"]


@pytest.mark.parametrize("name", [FILE, f"{FILE}-wal", f"{FILE}-shm"])
def test_file_taken_away(database: Database, name: str) -> None:
    """Whichever it is, the next commit has everything in place again, for readers too."""
    add(database, b"one")
    assert found(database) == [b"one"]
    (database.path.parent / name).unlink()
    add(database, b"two")
    assert found(database) == [b"one", b"two"]
    database.close()
    connection = connect(database.path)
    assert connection.execute(ALL).fetchall() == [(b"one",), (b"two",)]
    connection.close()


def test_file_replaced(database: Database) -> None:
    """Somebody copied an old one over it: what we have open is the truth."""
    add(database, b"one")
    old = database.path.with_name("old")
    old.write_bytes(b"something else")
    old.rename(database.path)
    add(database, b"two")
    assert found(database) == [b"one", b"two"]


@pytest.mark.parametrize("spoil", [os.unlink, lambda path: os.truncate(path, 0)])
def test_gone_while_nothing_ran(
    database: Database, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """What SQLite takes for a new file is none where there was one, and that is said."""
    add(database, b"one")
    database.close()
    assert not caplog.messages
    spoil(database.path)
    add(database, b"two")
    assert "deleted or emptied while nothing ran" in caplog.text
    assert found(database) == [b"two"]


def test_taken_away_where_it_cannot_be_put_back(database: Database) -> None:
    """What has no name any more is held on to, until there is a place for it."""
    add(database, b"one")
    folder = database.path.parent
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_bytes(b"in the way")
    for _ in range(2):
        with pytest.raises(StorageError):
            add(database, b"refused")
    folder.unlink()
    add(database, b"two")
    assert found(database) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "full"), StorageFullError),
        (OSError(errno.EDQUOT, "quota"), StorageFullError),
        (OSError(errno.EIO, "broken"), StorageError),
        (ValueError("odd"), StorageError),
    ],
)
def test_errors_become_ours(tmp_path: Path, error: Exception, kind: type) -> None:
    """No room is told apart, and the text says where and why."""
    made = storage_error(error, tmp_path)
    assert type(made) is kind
    assert str(made) == f"{tmp_path}: {error}"


def test_errors_of_ours_stay(tmp_path: Path) -> None:
    """They are said once."""
    error = StorageFullError("full")
    assert storage_error(error, tmp_path) is error


def test_full_according_to_sqlite(tmp_path: Path) -> None:
    """SQLITE_FULL is no room."""
    connection = connect(tmp_path / "x")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.executescript("CREATE TABLE a (b); CREATE TABLE c (d); CREATE TABLE e (f)")
    connection.close()
    assert isinstance(storage_error(caught.value, tmp_path), StorageFullError)


def test_its_files_are_not_for_everybody(database: Database) -> None:
    """Whole mails are in them, in the WAL too; nor are those that are written again."""
    before = os.umask(0o022)
    try:
        add(database, b"one")
        modes = {path.name: path.stat().st_mode & 0o777 for path in database.path.parent.iterdir()}
        database.path.unlink()
        add(database, b"two")
    finally:
        os.umask(before)
    assert len(modes) >= 3
    assert {*modes.values()} == {0o640}
    assert database.path.stat().st_mode & 0o777 == 0o640

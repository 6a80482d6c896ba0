"""The SQLite file that holds the queue: opened, kept in place, and its errors made ours.

One connection writes, for one thread at a time; another reads. A commit is flushed to the disk,
and all before it (WAL, synchronous=FULL), but for what somebody else makes durable (NORMAL). After
an error the writing connection is opened anew, so that service resumes by itself when the cause is
gone.

SQLite does not notice when its file is deleted under it and goes on into the void. We look
before every commit: what is open still holds all of it, and is copied back into place.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import sqlite3
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from kumo_handlers.errors import StorageError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

_BUSY = 5.0  # seconds to wait for `kumo-handlers queue`, whose changes take milliseconds
_PAGE = 16_384  # bytes: several ordinary messages, and one piece to write; of a new file only
_CHECKPOINT = 1_000  # pages of WAL: 16 MB, so that a burst is folded in seldom
_STATEMENTS = 256  # kept prepared: one for each number of rows that is inserted at once
_FULL = (errno.ENOSPC, errno.EDQUOT)
# what was to be written is at fault, not the file: another transaction may well succeed
_AT_FAULT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)
FILE = "spool.sqlite3"
LOCK = "lock"
ENTERED = "SELECT COALESCE(MAX(page), 0) FROM entered"  # the last page of the daybook in it
_WAL = f"{FILE}-wal"
_SHARED_MEMORY = f"{FILE}-shm"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, lines BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoint (sink TEXT PRIMARY KEY, position TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entered (only_row INTEGER PRIMARY KEY, page INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS report_key (
    generation INTEGER, key TEXT, PRIMARY KEY (generation, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, reverse_path BLOB NOT NULL,
    created REAL NOT NULL, size INTEGER NOT NULL, facts BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS content (message INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS recipient (
    message INTEGER, position INTEGER, address BLOB NOT NULL, domain TEXT NOT NULL,
    due REAL NOT NULL, state TEXT NOT NULL DEFAULT 'queued', attempts INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0, response TEXT,
    PRIMARY KEY (message, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recipient_due ON recipient (state, due, domain);
"""


class Database:
    """The file ``spool.sqlite3`` in ``folder``, which one program at a time may have.

    ``durable=False`` leaves out the flush: for measurements only.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.path = folder / FILE
        self._durable = durable
        self._flushes = True
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.Lock()
        self._lock: int | None = None
        self._identity: tuple[tuple[int, int], ...] = ()

    @contextmanager
    def transaction(self, *, flush: bool = True) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, on disk when the block is left. Raises `StorageError`.

        SQLite's own errors pass where a statement, or what it was given, is at fault. Without
        ``flush`` it is on disk when the next one is that has it, after which it cannot be missing.
        """
        try:
            connection = self._usable()
            self._have_flushed(connection, flush=flush)
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self.path) from error
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except (sqlite3.DatabaseError, OSError) as error:
            self._undo(connection)
            if isinstance(error, _AT_FAULT):
                raise
            raise storage_error(error, self.path) from error
        except BaseException:
            self._undo(connection)
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees what is committed; one thread at a time has it."""
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = connect(self.path, read_only=True)
                yield self._reader
            except (sqlite3.Error, OSError) as error:
                self._close_reader()
                raise storage_error(error, self.path) from error

    def close(self) -> None:
        """Fold the WAL in, and let another program have the file."""
        if self._writer is not None:
            with suppress(StorageError), self.transaction():
                pass  # looks whether the file is still there
        with self._reading:
            self._close_reader()
        self._let_go()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _usable(self) -> sqlite3.Connection:
        if self._writer is not None and _identity(self.path) != self._identity:
            self._put_back(self._writer)
        if self._writer is None:
            self._writer = self._open()
            self._identity = _identity(self.path)
        return self._writer

    def _have_flushed(self, connection: sqlite3.Connection, *, flush: bool) -> None:
        if self._durable and flush != self._flushes:
            connection.execute(f"PRAGMA synchronous={'FULL' if flush else 'NORMAL'}")
            self._flushes = flush

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        was_used = self.path.with_name(LOCK).exists()
        self._have_alone()
        _make_private(self.path)
        if was_used and self.path.stat().st_size == 0:
            log.error(
                "%s was deleted or emptied while nothing ran: the queue begins anew, and what"
                " waited in it, if anything, is lost",
                self.path,
            )
        connection = connect(self.path)
        try:
            connection.execute(f"PRAGMA page_size={_PAGE}")  # of a new file only
            connection.execute("PRAGMA journal_mode=WAL")
            self._flushes = True
            connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'OFF'}")
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT}")
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _have_alone(self) -> None:
        """Two programs on one queue would deliver everything twice."""
        if self._lock is not None:
            os.close(self._lock)
        path = self.path.with_name(LOCK)
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(f"{self.path.parent} is in use by another program") from error

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Roll back, and open anew at the next use, but never let go of files without a name."""
        if _identity(self.path) == self._identity:
            self._let_go()
        elif connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

    def _put_back(self, connection: sqlite3.Connection) -> None:
        """The file, or its WAL, was taken away: write what is still open into a new one."""
        rescued = self.path.with_name("rescued")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rescued.unlink(missing_ok=True)
        _make_private(rescued)
        connection.execute("VACUUM INTO ?", (str(rescued),))
        # SQLite deletes the WAL by its name when the last connection closes: so, close first.
        with self._reading:
            self._close_reader()
            self._let_go()
            for name in (_WAL, _SHARED_MEMORY):
                self.path.with_name(name).unlink(missing_ok=True)
            rescued.rename(self.path)
        log.error("%s was deleted or replaced; it was written again, whole", self.path)

    def _let_go(self) -> None:
        if self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.close()
            self._writer = None

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _make_private(path: Path) -> None:
    """Whole mails are in it: not for everybody to read, nor its WAL, which has the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread, one at a time."""
    mode = "ro" if read_only else "rwc"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=_BUSY,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )
    connection.text_factory = _text  # else one damaged row would hide all the others
    return connection


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "backslashreplace")


def storage_error(error: Exception, path: Path) -> StorageError:
    """The error the peer is answered with; its text, for the log, says where and why."""
    if isinstance(error, StorageError):
        return error
    kind = StorageFullError if _is_full(error, path) else StorageError
    return kind(f"{path}: {error}")


def _is_full(error: Exception, path: Path) -> bool:
    """SQLite says FULL for the data it writes, and I/O error for what it maps into memory."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_IOERR:
        with suppress(OSError):
            return shutil.disk_usage(path.parent).free == 0  # what root may use counts, too
    return code == sqlite3.SQLITE_FULL


def _identity(path: Path) -> tuple[tuple[int, int], ...]:
    """Which files the names lead to; empty where one is gone."""
    try:
        found = (path.stat(), path.with_name(_WAL).stat())
    except OSError:
        return ()
    return tuple((each.st_dev, each.st_ino) for each in found)

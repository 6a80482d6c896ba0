"""Log lines between the commit that makes them durable and the sinks that show them.

Lines are committed with the mail they are about, as one block for each commit. Then they are
appended to the sinks, which need not flush for it. A few times a second the sinks are synced,
and the next commit strikes the blocks that are safe there, and notes how far each sink had come.

After a crash each sink is given exactly those lines of the outbox that it does not have: what
stands in it after the noted position is compared, line by line.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kumo_handlers.errors import StorageError
from kumo_handlers.queue.database import storage_error

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kumo_handlers.journal.sink import Sink

log = logging.getLogger(__name__)

_BLOCKS = "SELECT number, lines FROM outbox WHERE number > ? ORDER BY number"


class Feed:
    """One sink, the blocks it has still to be given, and how far it is."""

    def __init__(self, name: str, sink: Sink, folder: Path) -> None:
        self.name = name
        self.sink = sink
        self._folder = folder
        self.backlog: list[tuple[int, bytes]] = []
        self.appended = 0
        self.synced = 0
        self.position = ""

    def push(self) -> None:
        """Append the backlog. Raises `StorageError`, with what was appended taken from it."""
        with self._failing():
            while self.backlog:
                number, lines = self.backlog[0]
                self.sink.append(lines)
                self.appended = number
                del self.backlog[0]

    def sync(self) -> None:
        """Make durable what was appended. Raises `StorageError`."""
        with self._failing():
            self.position = self.sink.sync()
            self.synced = self.appended

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """However a sink fails, the lines are durable in the outbox, and tried again."""
        try:
            yield
        except Exception as error:
            raise storage_error(error, self._folder) from error

    def catch_up(self, position: str | None, blocks: list[tuple[int, bytes]]) -> int:
        """Append what the sink does not have yet of ``blocks``; the answer is how many lines."""
        with self._failing():
            found = self.sink.since(position) if position is not None else ()
            if found is None:
                return 0
            return self._append_missing(Counter(found), blocks)

    def _append_missing(self, there: Counter[bytes], blocks: list[tuple[int, bytes]]) -> int:
        missing = []
        for line in (line for _, lines in blocks for line in lines.splitlines(keepends=True)):
            if there[line]:
                there[line] -= 1
            else:
                missing.append(line)
        if missing:
            self.sink.append(b"".join(missing))
        return len(missing)


class Outbox:
    """The table ``outbox`` and the sinks. Used by the committer's thread alone."""

    def __init__(self, sinks: Mapping[str, Sink], folder: Path) -> None:
        self._feeds = [Feed(name, sink, folder) for name, sink in sinks.items()]
        self._number = 0
        self._struck = 0

    def add(self, connection: sqlite3.Connection, lines: bytes) -> int:
        """Write a block within a transaction; the answer is its number, for `append`."""
        number = self._number + 1
        connection.execute("INSERT INTO outbox (number, lines) VALUES (?, ?)", (number, lines))
        return number

    def append(self, number: int, lines: bytes) -> None:
        """Give the sinks a block that was committed. Raises `StorageError`; it is kept then."""
        self._number = number
        for feed in self._feeds:
            feed.backlog.append((number, lines))
        self.push()

    def push(self) -> None:
        """Give the sinks what they still lack. Raises `StorageError`."""
        failures = []
        for feed in self._feeds:
            try:
                feed.push()
            except StorageError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    @property
    def is_behind(self) -> bool:
        """Whether a sink lacks lines: nothing more is accepted until it has them."""
        return any(feed.backlog for feed in self._feeds)

    @property
    def has_unsynced(self) -> bool:
        """Whether there are lines that only the database makes durable."""
        return self._struck < self._number

    def sync(self) -> None:
        """Make the sinks durable. Raises `StorageError`."""
        for feed in self._feeds:
            feed.sync()

    def strike(self, connection: sqlite3.Connection) -> int:
        """Within a transaction, drop what all sinks have synced; its last number, for `struck`."""
        upto = min((feed.synced for feed in self._feeds), default=self._number)
        if upto > self._struck:
            connection.execute("DELETE FROM outbox WHERE number <= ?", (upto,))
            self._note(connection)
        return upto

    def struck(self, upto: int) -> None:
        """The transaction of `strike` was committed."""
        self._struck = upto

    def resume(self, connection: sqlite3.Connection) -> None:
        """At start, within a transaction: number blocks on from those of the last run."""
        (self._number,) = connection.execute(
            "SELECT COALESCE(MAX(number), 0) FROM outbox"
        ).fetchone()

    def reconcile(self, connection: sqlite3.Connection) -> None:
        """At start, within a transaction: what was committed and not shown is shown now."""
        blocks = connection.execute(_BLOCKS, (0,)).fetchall()
        noted = dict(connection.execute("SELECT sink, position FROM checkpoint"))
        for feed in self._feeds:
            if added := feed.catch_up(noted.get(feed.name), blocks):
                log.warning("%d records of the last run are added to %s", added, feed.name)
            feed.sync()
        connection.execute("DELETE FROM outbox")
        self._note(connection)

    def recover(self, connection: sqlite3.Connection) -> None:
        """After a commit that failed: SQLite may have kept it all the same. Then it is shown."""
        rows = connection.execute(_BLOCKS, (self._number,)).fetchall()
        for number, lines in rows:
            self._number = number
            for feed in self._feeds:
                feed.backlog.append((number, lines))

    def _note(self, connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT OR REPLACE INTO checkpoint (sink, position) VALUES (?, ?)",
            [(feed.name, feed.position) for feed in self._feeds],
        )

    def close(self) -> None:
        """Close the sinks, each of them; what fails is said."""
        for feed in self._feeds:
            try:
                feed.sink.close()
            except OSError as error:
                log.error("%s was not closed cleanly: %s", feed.name, error)  # noqa: TRY400 - the reason is all there is

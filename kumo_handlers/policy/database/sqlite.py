"""The table of rules in SQLite: a file that the processes of one machine share.

Each question opens the file anew, which costs less than a tenth of a millisecond: so a file that
was put in place of another is seen.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy.database.columns import COLUMNS
from kumo_handlers.policy.database.engine import (
    VERSION,
    Version,
    no_table,
    schema,
    select,
    select_changes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kumo_handlers.policy.database.columns import Key, Row
    from kumo_handlers.policy.database.engine import Snapshot
    from kumo_handlers.service import ServiceURL

_PATIENCE = 5.0  # seconds that a writer is waited for
_CACHE = -200_000  # kibibytes: a large import must not lock readers out before it commits
_LENIENT: Final = partial(str, encoding="utf-8", errors="backslashreplace")
_MARKS: Final = ", ".join("?" * (len(COLUMNS) + 2))


class _Snapshot:
    """An `engine.Snapshot` of a connection that is in a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def version(self) -> Version:
        found = self._connection.execute(VERSION)
        return Version(*found.fetchone())

    def rows(self) -> Iterator[Row]:
        yield from self._connection.execute(select(COLUMNS))

    def changes(self, since: int) -> Iterator[tuple[bool, Row]]:
        # A key that is no UTF-8 stays listed when its row is gone: it must not be in the way.
        self._connection.text_factory = _LENIENT
        for is_there, *row in self._connection.execute(select_changes(COLUMNS, "?"), (since,)):
            yield bool(is_there), tuple(row)

    def put(self, batches: Iterable[Sequence[Row]], gone: Sequence[Key], *, many: bool) -> None:
        run = self._connection
        if many:
            run.execute(f"PRAGMA cache_size = {_CACHE}")
            run.execute("DELETE FROM listener_domains_changes")
            run.execute(
                "UPDATE listener_domains_version"
                " SET version = version + 1, whole_since = version + 1, is_listing = 0"
            )
        run.executemany("DELETE FROM listener_domains WHERE section = ? AND domain = ?", gone)
        for batch in batches:
            run.executemany(f"REPLACE INTO listener_domains VALUES ({_MARKS})", batch)  # noqa: S608 - marks
        run.execute("UPDATE listener_domains_version SET is_listing = 1")


class SQLite:
    """An `engine.Engine` of one file."""

    def __init__(self, url: ServiceURL, name: str) -> None:
        self.name = name
        path = url.text.partition("?")[0].removeprefix("sqlite:")
        self._path = quote(path.removeprefix("//"))

    def version(self) -> Version:
        """The one row that every change counts up."""
        with self.snapshot() as now:
            return now.version()

    @contextmanager
    def snapshot(self, *, writing: bool = False) -> Iterator[Snapshot]:
        """One transaction."""
        with self._connected("rw") as connection, connection:
            connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            yield _Snapshot(connection)

    def create(self) -> None:
        """Make the file, too, where there is none."""
        with self._connected("rwc") as connection:
            connection.executescript(schema("sqlite"))

    def close(self) -> None:
        """Nothing is kept open between two questions."""

    @contextmanager
    def _connected(self, mode: str) -> Iterator[sqlite3.Connection]:
        name = f"file:{self._path}?mode={mode}"
        try:
            opened = sqlite3.connect(name, uri=True, timeout=_PATIENCE, isolation_level=None)
            with closing(opened) as connection:
                yield connection
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.DatabaseError) -> Exception:
        """A missing table or column is the user's to mend; a locked file may pass by itself."""
        text = str(error)
        if text.startswith("no such") or "has no column" in text:
            return no_table(self.name, text)
        if isinstance(error, sqlite3.OperationalError):
            return ConnectionError(f"{self.name}: {text}")
        return ConfigurationError(Problem(message=text, file=self.name))

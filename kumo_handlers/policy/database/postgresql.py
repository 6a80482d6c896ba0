"""The table of rules in PostgreSQL: one for many nodes.

No statement needs a session of its own, so a pooler may stand between.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kumo_handlers import service
from kumo_handlers.policy.database.columns import COLUMNS, LISTS
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

# A server that is gone without a word is noticed within seconds: libpq's parameters.
_CONNECTION: Final = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
    "application_name": "kumo-handlers",
}
_SLICE = 5_000  # rows a fetch: more would keep other threads waiting while they are decoded
_NOT_PREPARED = frozenset({"42P01", "42703"})  # undefined table, undefined column
_SET: Final = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS)
_PUT: Final = (
    "INSERT INTO listener_domains SELECT * FROM coming"  # noqa: S608 - names of our own
    f" ON CONFLICT (section, domain) DO UPDATE SET {_SET}"
)


class _Snapshot:
    """An `engine.Snapshot` of a connection that is in a transaction."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - psycopg is imported where used
        self._connection = connection

    def version(self) -> Version:
        return Version(*self._connection.execute(VERSION).fetchone())

    def rows(self) -> Iterator[Row]:
        return self._read(select(_expressions("")), ())

    def changes(self, since: int) -> Iterator[tuple[bool, Row]]:
        statement = select_changes(_expressions("now."), "%s")
        return ((row[0], row[1:]) for row in self._read(statement, (since,)))

    def _read(self, statement: str, values: tuple[object, ...]) -> Iterator[Row]:
        """By a cursor of the server, so that a million rows never stand here at once."""
        with self._connection.cursor(name="rules") as cursor:
            cursor.itersize = _SLICE
            yield from cursor.execute(statement, values)

    def put(self, batches: Iterable[Sequence[Row]], gone: Sequence[Key], *, many: bool) -> None:
        del many  # the triggers count for themselves
        with self._connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE coming (LIKE listener_domains) ON COMMIT DROP")
            with cursor.copy("COPY coming FROM STDIN") as copy:
                for batch in batches:
                    for row in batch:
                        copy.write_row(_native(row))
            cursor.execute("CREATE TEMPORARY TABLE gone (section text, domain text) ON COMMIT DROP")
            with cursor.copy("COPY gone FROM STDIN") as copy:
                for key in gone:
                    copy.write_row(key)
            cursor.execute(
                "DELETE FROM listener_domains AS here USING gone"
                " WHERE here.section = gone.section AND here.domain = gone.domain"
            )
            cursor.execute(_PUT)


def _expressions(table: str) -> list[str]:
    """Lists as JSON text, as the other engine has them: what is equal is then told by its text."""
    return [f"to_json({table}{name})::text" if name in LISTS else table + name for name in COLUMNS]


def _native(row: Row) -> list[object]:
    """A row as COPY takes it: lists are lists."""
    named = zip(("section", "domain", *COLUMNS), row, strict=True)
    return [
        msgspec.json.decode(value) if name in LISTS and value is not None else value
        for name, value in named
    ]


class PostgreSQL:
    """An `engine.Engine` of one connection, which is made when it is needed."""

    def __init__(self, url: ServiceURL, name: str) -> None:
        self.name = name
        self._url = url
        self._psycopg = service.client("psycopg", "postgresql")
        self._connection: Any = None

    def version(self) -> Version:
        """The one row that every change counts up, in one round trip."""
        with self._explained():
            return _Snapshot(self._connected()).version()

    @contextmanager
    def snapshot(self, *, writing: bool = False) -> Iterator[Snapshot]:
        """One transaction: all that it reads is of one moment."""
        with self._explained():
            connection = self._connected()
            with connection.transaction():
                if writing:
                    connection.execute("LOCK TABLE listener_domains IN SHARE ROW EXCLUSIVE MODE")
                else:
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield _Snapshot(connection)

    def create(self) -> None:
        """All of it, or nothing."""
        with self._explained():
            connection = self._connected()
            with connection.transaction():
                connection.execute(schema("postgresql"))

    def close(self) -> None:
        """The next question connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> Any:  # noqa: ANN401 - psycopg is imported where it is used
        if self._connection is None or self._connection.closed:
            options = {
                name: value
                for name, value in _CONNECTION.items()
                if name not in self._url.parameters
            }
            self._connection = self._psycopg.connect(
                self._url.text, autocommit=True, prepare_threshold=None, **options
            )
        return self._connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the library says, as our errors; the URL's secrets left out."""
        try:
            yield
        except self._psycopg.Error as error:
            text = " ".join(service.without_secrets(str(error), self._url).split())
            if error.sqlstate in _NOT_PREPARED:
                raise no_table(self.name, text) from None
            self.close()
            raise ConnectionError(f"{self.name}: {text}") from None

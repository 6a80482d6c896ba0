"""Records to PostgreSQL: one statement a batch, in which a repeat changes nothing.

Tables are made where they are not there, and partitions a month ahead. Where both are there no
right to make any is needed: INSERT and SELECT will do;
that next month's cannot be made is a warning.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kumo_handlers import service
from kumo_handlers.policy.options import Declared
from kumo_handlers.shipping import postgresql_table
from kumo_handlers.shipping.destination import RefusedError
from kumo_handlers.shipping.kinds import TABLE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.service import ServiceURL
    from kumo_handlers.shipping.parcel import Parcel

_log = logging.getLogger(__name__)

_LOCK = "SELECT pg_advisory_xact_lock(hashtext(%s))"
_IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"


class PostgreSQLOptions(msgspec.Struct, frozen=True):
    """Options of a database."""

    table: Annotated[
        str, Declared(TABLE_NAME, "postgresql: the table, with its schema where that is needed")
    ] = "kumo_records"


class PostgreSQL:
    """A `Destination` in a database."""

    def __init__(self, url: ServiceURL, options: PostgreSQLOptions) -> None:
        self._url = url
        self._table = options.table
        self._library = service.client("psycopg", "postgresql")
        self._sql = service.client("psycopg.sql", "postgresql")
        self._connection: Any = None
        self._months: set[datetime] = set()
        self._warned: set[datetime] = set()

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """See `Destination.send`."""
        try:
            columns = postgresql_table.rows(parcels)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        if self._connection is None:
            await self._connect()
        await self._make_months(columns[2])
        try:
            await self._connection.execute(self._statement(postgresql_table.INSERT), columns)
        except self._library.DataError as error:
            raise RefusedError(str(error)) from error

    async def close(self) -> None:
        """See `Destination.close`."""
        connection, self._connection = self._connection, None
        self._months.clear()  # whoever administers it may have dropped some
        if connection is not None:
            await connection.close()

    async def _connect(self) -> None:
        self._connection = await self._library.AsyncConnection.connect(
            self._url.text,
            autocommit=True,
            application_name="kumo_handlers shipping",
            prepare_threshold=None,  # behind a pool, the next statement may meet another session
        )
        for name, statements in (
            (self._table, (postgresql_table.CREATE, postgresql_table.CREATE_INDEX)),
            (f"{self._table}_reports", (postgresql_table.CREATE_REPORTS,)),
        ):
            await self._make(name, *map(self._statement, statements))

    async def _make_months(self, moments: Sequence[datetime]) -> None:
        """Those of the records, and the next one: it is there before it begins."""
        following = postgresql_table.next_month(postgresql_table.month_of(datetime.now(UTC)))
        needed = {*map(postgresql_table.month_of, moments)}
        for month in sorted(needed - self._months):
            await self._make_month(month)
        if following not in self._months:
            try:
                await self._make_month(following)
            except self._library.ProgrammingError as error:  # mostly: no right to
                self._months.add(following)  # tried again with the next connection
                self._warn(following, error)

    def _warn(self, month: datetime, error: Exception) -> None:
        """Once for each month."""
        if month not in self._warned:
            self._warned.add(month)
            reason = " ".join(service.without_secrets(str(error), self._url).split())
            _log.warning(
                "%s has no partition for %s yet, and none can be made: %s",
                self._table,
                f"{month:%Y-%m}",
                reason,
            )

    async def _make_month(self, month: datetime) -> None:
        """A partition. Raises the library's errors."""
        name = f"{self._table}_{month:%Y_%m}"
        bounds = {
            "since": self._sql.Literal(month),
            "until": self._sql.Literal(postgresql_table.next_month(month)),
        }
        create = self._statement(postgresql_table.CREATE_MONTH, month=self._name(name))
        attach = self._statement(postgresql_table.ATTACH_MONTH, month=self._name(name), **bounds)
        await self._make(name, create, attach)
        self._months.add(month)

    async def _make(self, name: str, *statements: Any) -> None:  # noqa: ANN401 - the library's
        """Make a table that is not there; of several nodes, one does."""
        if await self._is_there(name):
            return
        async with self._connection.transaction():
            await self._connection.execute(_LOCK, [self._table])
            if not await self._is_there(name):
                for statement in statements:
                    await self._connection.execute(statement)

    async def _is_there(self, name: str) -> bool:
        cursor = await self._connection.execute(_IS_THERE, [name])
        (found,) = await cursor.fetchone()
        return bool(found)

    def _statement(self, text: str, **parts: Any) -> Any:  # noqa: ANN401 - the library's
        return self._sql.SQL(text).format(
            table=self._name(self._table), reports=self._name(f"{self._table}_reports"), **parts
        )

    def _name(self, name: str) -> Any:  # noqa: ANN401 - the library's
        return self._sql.Identifier(*name.split("."))

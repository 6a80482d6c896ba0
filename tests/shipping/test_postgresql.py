"""Records in a real PostgreSQL, which is killed in the middle."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kumo_handlers.shipping import refusals, shipment, state
from kumo_handlers.shipping.patience import Patience
from kumo_handlers.shipping.shipper import Shipper

from ..servers.postgresql import PASSWORD, Server  # noqa: TID252 - the tests' own server
from .conftest import NOON, Log, line, until

DOCS = Path(__file__).parents[2] / "docs"


def shipper(log: Log, url: str, **more: Any) -> Shipper:
    """To the database."""
    (read,) = shipment.read([{"url": url, "name": "base"} | more])
    return Shipper(log.run_dir, read, read.open(), Patience(0.05, 0.2))


def ship(log: Log, url: str, **more: Any) -> state.State:
    """All there is."""
    asyncio.run(shipper(log, url, **more).run(drain=True))
    return state.load(log.run_dir / "ship", "base")


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the database says."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def count(url: str) -> int:
    """How many records are there: none, where no table is."""
    if ask(url, "SELECT to_regclass('kumo_records')") == [(None,)]:
        return 0
    ((found,),) = ask(url, "SELECT count(*) FROM kumo_records")
    return int(found)


def test_every_column(log: Log, database: str) -> None:
    """As the documentation says; the record itself is there whole."""
    log.write(line(1, bounce_classification="BadDomain", response={"code": 550}))
    ship(log, database)
    ((key, *columns, record),) = ask(database, "SELECT * FROM kumo_records")
    assert len(key) == 32
    assert columns[0].timestamp() == NOON + 1
    assert columns[1:] == [
        *("Delivery", "id1", "node", "ann@src.example", "r1@dest.example", "dest.example"),
        *("BadDomain", 550),
    ]
    assert record["recipient"] == "r1@dest.example"


def test_a_repeat_changes_nothing(log: Log, database: str) -> None:
    """The whole log again, as after a disk that went back in time."""
    log.write(*map(line, range(700)))
    log.write(*(line(n, type="OOB", report={"key": f"k{n}"}) for n in range(300)))
    ship(log, database)
    state.path_of(log.run_dir / "ship", "base").unlink()
    assert ship(log, database).shipped == 1000
    assert ask(database, "SELECT count(*), count(DISTINCT key) FROM kumo_records") == [(1000, 1000)]


def test_a_report_that_came_twice(log: Log, database: str, tmp_path: Path) -> None:
    """To two nodes, in two months; and twice in one batch: it is one row."""
    later = NOON + 40 * 86400
    log.write(line(1, type="OOB", report={"key": "k"}), line(2, type="OOB", report={"key": "k"}))
    other = Log(tmp_path / "other")
    other.write(line(3, type="OOB", created_time=later, nodeid="b", report={"key": "k"}))
    ship(log, database)
    ship(other, database)
    assert ask(database, "SELECT id FROM kumo_records") == [("id1",)]
    assert ask(database, "SELECT key FROM kumo_records_reports") == [("k",)]


def test_a_partition_for_each_month(log: Log, database: str) -> None:
    """Of the records, and the next one of the calendar."""
    log.write(*(line(n, event_time=NOON + n * 31 * 86400) for n in range(3)))
    ship(log, database)
    partitions = ask(
        database,
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = 'kumo_records'::regclass ORDER BY 1",
    )
    names = [name for (name,) in partitions]
    assert names[:3] == [f"kumo_records_{month}" for month in ("2023_11", "2023_12", "2024_01")]
    assert len(names) == 4


def test_a_month_that_was_dropped(log: Log, database: str) -> None:
    """It is made again for records that are still to come."""
    log.write(line(1))
    ship(log, database)

    async def with_a_drop() -> None:
        shipping = asyncio.ensure_future(shipper(log, database).run())
        log.write(line(2))
        await until(lambda: count(database) == 2)
        with psycopg.connect(database) as connection:
            connection.execute("DROP TABLE kumo_records_2023_11")
        log.write(line(3))
        await until(lambda: count(database) == 1)
        shipping.cancel()

    asyncio.run(asyncio.wait_for(with_a_drop(), 20))


def test_what_no_column_takes(log: Log, database: str) -> None:
    """NUL is replaced; a time that is none is kept aside; the others are there."""
    lines = [line(1), line(2, id="x\0"), line(3, event_time=9e11), line(4)]
    log.write(*lines)
    found = ship(log, database)
    assert (found.shipped, found.refused) == (3, 1)
    assert ask(database, "SELECT count(*) FROM kumo_records") == [(3,)]
    assert b"9" in refusals.path_of(log.run_dir / "ship", "base").read_bytes()


@pytest.mark.parametrize("is_made_ahead", [True, False])
def test_tables_that_are_there_need_no_right_to_make_any(
    *,
    log: Log,
    database: str,
    postgresql: Server,
    caplog: pytest.LogCaptureFixture,
    is_made_ahead: bool,
) -> None:
    """With the statements of the page, and a user who may read and write, no more.

    That next month's partition is missing is said once, and stops nothing.
    """
    page = (DOCS / "ship.md").read_text()
    (statements,) = re.findall(r"```sql\n(CREATE TABLE.*?)```", page, re.DOTALL)
    now = ask(database, "SELECT to_char(now() + '1 month', 'YYYY_MM')")[0][0]
    with psycopg.connect(database) as connection:
        connection.execute(statements.encode())
        connection.execute("CREATE SCHEMA IF NOT EXISTS x")
        for name, since, until in (
            ("2023_11", "2023-11-01+00", "2023-12-01+00"),
            (now, "3000-01-01+00", "3000-02-01+00"),
        )[: 1 + is_made_ahead]:
            connection.execute(
                f"CREATE TABLE kumo_records_{name} PARTITION OF kumo_records "
                f"FOR VALUES FROM ('{since}') TO ('{until}')".encode()
            )
        connection.execute(
            "DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN PASSWORD 'pen';"
            "GRANT SELECT, INSERT ON kumo_records, kumo_records_reports TO writer"
        )
    log.write(line(1))
    url = database.replace(f"mail:{PASSWORD}", "writer:pen")
    assert ship(log, url).shipped == 1
    assert caplog.text.count("none can be made: permission denied") == (not is_made_ahead)
    with psycopg.connect(database) as connection:
        connection.execute("DROP OWNED BY writer; DROP ROLE writer")


def test_the_server_dies(
    log: Log, database: str, postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """By kill -9, in the middle; later it is back, and each record is there, once."""
    log.write(*map(line, range(2000)))

    async def dies_and_returns() -> None:
        shipping = asyncio.ensure_future(shipper(log, database).run())
        await until(lambda: count(database))
        postgresql.kill()
        log.write(*map(line, range(2000, 4000)))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(postgresql.start)
        await until(lambda: count(database) == 4000)
        shipping.cancel()

    asyncio.run(asyncio.wait_for(dies_and_returns(), 60))
    assert "base takes no records" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_wrong_password_is_not_shown(log: Log, database: str) -> None:
    """Neither by the library, nor by us; and it waits until somebody mends it."""
    log.write(line(1))
    url = database.replace(PASSWORD, "quite-wrong")

    async def refused() -> None:
        await asyncio.wait_for(shipper(log, url).run(), 1.0)

    with pytest.raises(TimeoutError):
        asyncio.run(refused())
    found = state.load(log.run_dir / "ship", "base")
    assert found.failures >= 1
    assert "password authentication failed" in found.error
    assert "quite-wrong" not in state.path_of(log.run_dir / "ship", "base").read_text()

"""Both engines: what is put is read, what changed is listed, errors show no password."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.database.engine import open_engine
from tests.servers.postgresql import PASSWORD

from .conftest import put, row

if TYPE_CHECKING:
    from pathlib import Path

    from kumo_handlers.policy.database.columns import Row
    from kumo_handlers.policy.database.engine import Engine
    from tests.servers.postgresql import Server

EVERYTHING = row(
    "example.com",
    "127.0.0.1:25",
    relay_to=True,
    relay_from='["10.0.0.0/24","any"]',
    relay_from_authz='["ann"]',
    log_oob="LogThenDrop",
    log_arf="false",
    inherit=False,
)


def rows(engine: Engine) -> list[Row]:
    """All of the table."""
    with engine.snapshot() as now:
        return sorted(now.rows(), key=str)


def changes(engine: Engine, since: int) -> dict[str, bool]:
    """The domains that changed after a version, and whether they are there."""
    with engine.snapshot() as now:
        return {row[1]: is_there for is_there, row in now.changes(since)}


def execute(url: str, *statements: str) -> None:
    """As somebody does who has a client of the database, and not ours."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:"))) as connection, connection:
            for statement in statements:
                connection.execute(statement)
    else:
        with psycopg.connect(url) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def test_what_is_put_is_read(engine: Engine) -> None:
    """Every column; the same text in both engines; what is not given is NULL."""
    put(engine, EVERYTHING, row("bare.example"))
    assert rows(engine) == sorted([EVERYTHING, row("bare.example")], key=str)


def test_a_row_takes_the_place_of_its_key(engine: Engine) -> None:
    """Options that are not given any more are gone, as with a file."""
    put(engine, EVERYTHING)
    put(engine, row("example.com", "127.0.0.1:25", relay_to=False))
    assert rows(engine) == [row("example.com", "127.0.0.1:25", relay_to=False)]


def test_creating_again_changes_nothing(engine: Engine) -> None:
    """Neither rows nor the version."""
    put(engine, EVERYTHING)
    version = engine.version()
    engine.create()
    assert rows(engine) == [EVERYTHING]
    assert engine.version() == version


def test_changes_are_listed(engine: Engine, url: str) -> None:
    """Whoever makes them: inserted, updated, renamed, deleted; the rest is not."""
    put(engine, *(row(name) for name in ("a.example", "b.example", "c.example", "d.example")))
    before = engine.version().number
    execute(
        url,
        "INSERT INTO listener_domains (domain, relay_to) VALUES ('new.example', true)",
        "UPDATE listener_domains SET log_oob = 'true' WHERE domain = 'a.example'",
        "UPDATE listener_domains SET domain = 'renamed.example' WHERE domain = 'b.example'",
        "DELETE FROM listener_domains WHERE domain = 'c.example'",
    )
    assert engine.version().number > before
    assert engine.version().whole_since <= before
    assert changes(engine, before) == {
        "new.example": True,
        "a.example": True,
        "b.example": False,
        "renamed.example": True,
        "c.example": False,
    }
    assert changes(engine, engine.version().number) == {}


def test_many_changes_are_not_listed(engine: Engine) -> None:
    """Whoever knows an older version reads all; from then on changes are listed again."""
    put(engine, row("a.example"))
    with engine.snapshot(writing=True) as now:
        now.put([[row(f"{number}.example") for number in range(60_000)]], [], many=True)
    version = engine.version()
    assert version.whole_since == version.number
    put(engine, gone=(("", "7.example"),))
    assert changes(engine, version.number) == {"7.example": False}


def test_truncated(database: str) -> None:
    """TRUNCATE names no rows: all is read again."""
    with closing(open_engine(database)) as engine:
        engine.create()
        put(engine, row("a.example"))
        execute(database, "TRUNCATE listener_domains")
        version = engine.version()
        assert version.whole_since == version.number
        assert rows(engine) == []


def test_what_is_read_is_of_one_moment(engine: Engine, url: str) -> None:
    """A change that is made meanwhile is not in it, and in the next one it is."""
    put(engine, row("a.example"))
    with closing(open_engine(url)) as other:
        with engine.snapshot() as now:
            before = now.version()
            thread = threading.Thread(target=put, args=(other, row("b.example")))
            thread.start()
            time.sleep(0.1)
            assert [each[1] for each in now.rows()] == ["a.example"]
            assert now.version() == before
        thread.join()
    assert changes(engine, before.number) == {"b.example": True}


def test_a_change_that_is_taken_back(engine: Engine) -> None:
    """Whatever breaks off an import: nothing of it is there."""
    put(engine, row("a.example"))
    before = engine.version()

    def broken_off() -> None:
        with engine.snapshot(writing=True) as now:
            now.put([[row("b.example")]], [("", "a.example")], many=True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert rows(engine) == [row("a.example")]
    assert engine.version() == before


def test_without_a_table(url: str) -> None:
    """The error says how to make one, and no password."""
    if url.startswith("sqlite:"):
        execute(url, "CREATE TABLE other (one TEXT)")
    with closing(open_engine(url)) as engine, pytest.raises(ConfigurationError) as caught:
        engine.version()
    assert "table listener_domains: cannot be read" in str(caught.value)
    assert "kumo-handlers domains create" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_column_too_few(engine: Engine, url: str) -> None:
    """A table from before an option came."""
    execute(url, "ALTER TABLE listener_domains DROP COLUMN log_arf")
    with pytest.raises(ConfigurationError, match="log_arf"):
        rows(engine)


def test_no_such_file(tmp_path: Path) -> None:
    """A slip in the path makes no file."""
    engine = open_engine(f"sqlite:{tmp_path}/nowhere.sqlite3")
    with pytest.raises(ConnectionError, match="nowhere"):
        engine.version()
    assert list(tmp_path.iterdir()) == []


def test_no_database(tmp_path: Path) -> None:
    """A file of something else is no file to wait for."""
    (tmp_path / "rules.sqlite3").write_bytes(b"example.com: yes\n" * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        open_engine(f"sqlite:{tmp_path}/rules.sqlite3").version()


@pytest.mark.parametrize(
    "change", [("@", "x@"), ("/test_", "/gone_"), ("127.0.0.1:", "127.0.0.2:")]
)
def test_it_does_not_answer(database: str, change: tuple[str, str]) -> None:
    """A wrong password, no such database, nobody there: said without the password."""
    engine = open_engine(database.replace(*change))
    with pytest.raises(ConnectionError) as caught:
        engine.version()
    assert "postgresql://mail:***@127.0.0." in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_comes_back(postgresql: Server) -> None:
    """A connection that broke is made anew by the next question."""
    with postgresql.database() as url, closing(open_engine(url)) as engine:
        engine.create()
        postgresql.kill()
        with pytest.raises(ConnectionError):
            engine.version()
        postgresql.start()
        assert engine.version().number == 1


@pytest.mark.parametrize("text", ["mysql://mail:hunter2@db/rules", "postgresql://[::1:hunter2@"])
def test_no_url_of_ours(text: str) -> None:
    """Said without the password."""
    with pytest.raises(ConfigurationError, match="expected postgresql://") as caught:
        open_engine(text)
    assert "hunter2" not in str(caught.value)

"""The tests' own PostgreSQL is what the tests take it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from .postgresql import Server


def test_it_comes_back_with_what_was_committed(postgresql: Server) -> None:
    """After kill -9, on the same port."""
    with postgresql.database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        postgresql.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2)
        postgresql.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_it_wants_the_password(postgresql: Server) -> None:
    """Or nothing would show that one is kept secret."""
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgresql.url.replace("never", "ever"), connect_timeout=2)


def test_databases_are_apart(postgresql: Server) -> None:
    """Two tests do not see each other's tables."""
    with postgresql.database() as one, postgresql.database() as other:
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE here ()")
        with psycopg.connect(other) as connection:
            found = connection.execute("SELECT to_regclass('here')").fetchone()
    assert found == (None,)

"""Tables of rules, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.policy.database import columns
from kumo_handlers.policy.database.engine import Engine, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/rules.sqlite3"
    found: str = request.getfixturevalue("database")
    return found


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A database with an empty table."""
    engine = open_engine(url)
    engine.create()
    yield engine
    engine.close()


def row(domain: str, section: str = "", **options: Any) -> columns.Row:
    """A row of the table; lists are JSON text."""
    return (section, domain, *(options.get(name) for name in columns.COLUMNS))


def put(
    engine: Engine, *rows: columns.Row, gone: tuple[columns.Key, ...] = (), many: bool = False
) -> None:
    """Change the table, in one transaction."""
    with engine.snapshot(writing=True) as now:
        now.put([rows], gone, many=many)

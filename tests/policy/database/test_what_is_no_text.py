"""Rows of SQLite that hold what is no text: named as what is wrong, and gone without a trace."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.database.engine import open_engine, schema
from kumo_handlers.policy.database.replica import Replica

from .conftest import put, row

if TYPE_CHECKING:
    from pathlib import Path


def execute(url: str, *statements: str) -> None:
    """As somebody does who has a client of the database, and not ours."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:"))) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def insert(url: str, values: str) -> None:
    """A row of section, domain, relay_to."""
    execute(url, f"INSERT INTO listener_domains (section, domain, relay_to) VALUES ({values})")  # noqa: S608 - values of this file


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A table with one row, made before its columns were checked to be text."""
    url = f"sqlite:{tmp_path}/rules.sqlite3"
    former = schema("sqlite")
    for column in ("section", "domain"):
        former = former.replace(f" CHECK (typeof({column}) = 'text')", "")
    with closing(sqlite3.connect(tmp_path / "rules.sqlite3")) as connection:
        connection.executescript(former)
    put(open_engine(url), row("a.example", relay_to=True))
    return url


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("'', x'62', 1", r"domain is no text, got b'b' \(DELETE FROM"),
        ("x'62', 'b.example', 1", r"section is no text, got b'b' \(DELETE FROM"),
        ("'', cast(x'62ff' as text), 1", r"domain b\\xff"),
    ],
)
def test_named_and_gone(url: str, values: str, expected: str) -> None:
    """Nothing is taken of it; deleted, what changed since is."""
    replica = Replica(open_engine(url))
    replica.read()
    insert(url, values)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=expected):
            replica.renew()
    assert list(replica.entries.general) == ["a.example"]
    execute(url, "DELETE FROM listener_domains WHERE relay_to = 1")
    put(open_engine(url), row("c.example"))
    assert replica.renew() is None
    assert list(replica.entries.general) == ["c.example"]
    put(open_engine(url), row("d.example"))
    assert replica.renew() == {("", "d.example")}


def test_commands(url: str, tmp_path: Path) -> None:
    """They say it in a line; an import that replaces everything mends it."""
    insert(url, "'', x'62', 1")
    explain = ("explain", "--listener-domains", url, "--to", "a@b.example", "--peer", "::1")
    rules = tmp_path / "rules.toml"
    rules.write_text('["a.example"]\nrelay_to = true\n')
    for words in (("check", url), (*explain, "--from", ""), ("domains", "export", url)):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 1
        assert "domain is no text" in done.output
    for more, expected in (((), "0 taken out, 1 as"), (("--replace",), "1 taken out, 1 as")):
        done = CliRunner().invoke(main, ["domains", "import", *more, url, str(rules)])
        assert expected in done.output


def test_refused_by_new_tables(tmp_path: Path) -> None:
    """So that whoever writes it is told."""
    url = f"sqlite:{tmp_path}/rules.sqlite3"
    open_engine(url).create()
    for values in ("'', x'62', 1", "x'62', 'b.example', 1"):
        with pytest.raises(sqlite3.IntegrityError, match="typeof"):
            insert(url, values)

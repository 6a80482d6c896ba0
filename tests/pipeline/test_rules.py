"""The rules that settings name: tables, or a script, and never both."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import rules
from kumo_handlers.pipeline.rules import Rules
from kumo_handlers.pipeline.settings import Settings
from kumo_handlers.policy.database.engine import open_engine
from kumo_handlers.policy.lua.policy import LuaPolicy
from kumo_handlers.policy.tables import Tables

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
local kumo = require 'kumo'
kumo.start_esmtp_listener { listen = '127.0.0.1:2525' }
kumo.configure_bounce_classifier { files = { '/etc/rules.toml' } }
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    """A policy in Lua."""
    path = tmp_path / "policy.lua"
    path.write_text(SCRIPT)
    return str(path)


def test_tables() -> None:
    """In place, or in files."""
    policy = rules.load(Settings(listener_domains=({"example.com": {"relay_to": True}},)))
    assert isinstance(policy, Tables)
    assert len(list(policy.entries())) == 1


def test_a_policy_without_rules_of_classification(script: str, tmp_path: Path) -> None:
    """An empty table is an empty list, where a list is wanted."""
    (tmp_path / "policy.lua").write_text(SCRIPT.replace("'/etc/rules.toml'", ""))
    settings = Settings(policy=script)
    assert rules.classification_files(settings, rules.load(settings)) == ()


def test_emptied_while_running(tmp_path: Path) -> None:
    """A file half written refuses no mail: the rules stay until some are there again."""
    path = tmp_path / "rules.toml"
    path.write_text('["example.com"]\n')
    ruled = Rules(Settings(listener_domains=(str(path),)))
    before = ruled.policy
    path.write_text("# nothing\n")
    for take in (ruled.renew, ruled.renew, ruled.read):
        with pytest.raises(ConfigurationError, match=r"no entries are left.*restart the app"):
            take()
        assert ruled.policy is before
    path.write_text('["example.org"]\n')
    ruled.renew()
    assert [found.key for found in ruled.policy.entries()] == ["example.org"]


@pytest.mark.parametrize("of_many", [False, True])
def test_a_table_emptied_while_running(tmp_path: Path, *, of_many: bool) -> None:
    """As with a file; a row put back is followed, and the other sources count."""
    url = f"sqlite:{tmp_path}/rules.sqlite3"
    with closing(open_engine(url)) as engine:
        engine.create()

        def run(statement: str) -> None:
            with closing(sqlite3.connect(tmp_path / "rules.sqlite3")) as table, table:
                table.execute(statement)

        run("INSERT INTO listener_domains (domain) VALUES ('a.example')")
        more = ({"b.example": {}},) if of_many else ()
        ruled = Rules(Settings(listener_domains=(url, *more)))
        run("DELETE FROM listener_domains")
        if of_many:
            ruled.renew()
        else:
            with pytest.raises(ConfigurationError, match="no entries are left"):
                ruled.renew()
        run("INSERT INTO listener_domains (domain) VALUES ('c.example')")
        ruled.renew()
        keys = {found.key for found in ruled.policy.entries()}
        assert keys == ({"b.example", "c.example"} if of_many else {"c.example"})
        ruled.close()


def test_a_start_without_entries(caplog: pytest.LogCaptureFixture) -> None:
    """It is allowed, and said; the first entry is taken."""
    Rules(Settings(listener_domains=({},)))
    assert caplog.messages == ["listener_domains has no entries: all mail is refused"]


def test_all_of_it_is_read(tmp_path: Path) -> None:
    """Asked for, whatever the table lists as changed: a backup was put back, say."""
    path = tmp_path / "rules.sqlite3"
    url = f"sqlite:{path}"
    open_engine(url).create()
    with closing(sqlite3.connect(path)) as table, table:
        table.execute("INSERT INTO listener_domains (domain) VALUES ('a.example')")
    ruled = Rules(Settings(listener_domains=(url,)))
    with closing(sqlite3.connect(path)) as table, table:
        table.execute("INSERT INTO listener_domains (domain) VALUES ('b.example')")
        table.execute("DELETE FROM listener_domains_changes")
    ruled.renew()
    assert len(list(ruled.policy.entries())) == 1
    with closing(sqlite3.connect(path)) as table, table:
        table.execute("UPDATE listener_domains_version SET version = version + 1")
    ruled.read()
    assert len(list(ruled.policy.entries())) == 2


def test_a_script(script: str) -> None:
    """Its listeners and its rule files of classification come with it."""
    settings = Settings(policy=script, classification=("ours.toml",))
    policy = rules.load(settings)
    assert isinstance(policy, LuaPolicy)
    assert [listener.listen for listener in policy.listeners] == ["127.0.0.1:2525"]
    files = rules.classification_files(settings, policy)
    assert files == ("ours.toml", "/etc/rules.toml")


def test_not_both(script: str) -> None:
    """Nobody could tell which of the two is asked."""
    with pytest.raises(ConfigurationError, match="is set beside listener_domains"):
        rules.load(Settings(policy=script, listener_domains=("rules.toml",)))

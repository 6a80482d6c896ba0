"""The rules that settings name: tables, or a script, and never both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import rules
from kumo_handlers.pipeline.settings import Settings
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

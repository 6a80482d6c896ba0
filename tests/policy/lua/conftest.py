"""Policies in Lua, from files and from texts; what they are asked from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.lua.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.policy.lua.policy import LuaPolicy

HERE = Path(__file__).parent
GUIDE = Path(
    os.environ.get("KUMO_HANDLERS_GUIDE", HERE.parents[3] / "shared" / "guide.md"),
)


def connected(session_id: str = "1", host: str = "192.0.2.1", **more: Any) -> Session:
    """A connection to the listener on port 25."""
    given = {"listener": "127.0.0.1:25", "local": "127.0.0.1:25", "meta": {}} | more
    return Session(session_id, Peer(host, 4711), **given)


@pytest.fixture
def session() -> Session:
    """One connection."""
    return connected()


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., LuaPolicy]:
    """Load a policy from its text, as ``policy.lua``."""

    def make(text: str, **path_map: str) -> LuaPolicy:
        path = tmp_path / "policy.lua"
        path.write_text(text)
        return load(path, path_map)

    return make


@pytest.fixture
def handler(policy: Callable[..., LuaPolicy]) -> Callable[[str], LuaPolicy]:
    """A policy whose get_listener_domain(domain, listener, conn_meta) has this body."""

    def make(body: str) -> LuaPolicy:
        head = "local kumo = require 'kumo'"
        event = "kumo.on('get_listener_domain', function(domain, listener, conn_meta)"
        return policy(f"{head}\n{event}\n{body}\nend)")

    return make

"""The three snippets of KumoMTA's guide, and a whole init.lua, run as they are."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.mail.address import parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.lua.loading import load
from kumo_handlers.policy.relaying import decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.lua.policy import LuaPolicy

HERE = Path(__file__).parent
POLICIES = HERE / "policies"
ROOT = HERE.parents[2]


def at(listener: Listener, host: str) -> Session:
    """A client of a listener."""
    return Session("1", Peer(host), listener.listen, listener.listen)


def accepts(
    policy: LuaPolicy, listener: Listener, host: str, recipient: str, sender: str = "b@example.net"
) -> bool:
    """Whether a recipient is accepted."""
    session = at(listener, host)
    return decide(policy, listener, session, parse(sender), parse(recipient)).accepted


def test_listeners_with_relay_hosts_of_their_own() -> None:
    """Any number of listeners, at top level, each with its list; an empty one trusts nobody."""
    policy = load(POLICIES / "guide_listeners.lua")
    first, second = policy.listeners
    assert (first.hostname, first.banner) == ("mail.example.com", "KumoMTA")
    assert (second.hostname, second.banner) == ("mx2.example.com", "hello")
    assert accepts(policy, first, "192.168.1.9", "a@anywhere.example")
    assert not accepts(policy, first, "192.168.2.9", "a@anywhere.example")
    assert not accepts(policy, second, "127.0.0.1", "a@anywhere.example")


def test_a_domain_by_a_function() -> None:
    """The domain that it names is accepted, and the reason names the handler's line."""
    policy = load(POLICIES / "guide_domain.lua")
    found = policy.find("example.com", Session("1", Peer("192.0.2.1")))
    assert found is not None
    assert found.options.relay_to
    # the call is a tail call, of which Lua forgets the line: it is the handler's
    assert policy.origin(found) == f"{POLICIES / 'guide_domain.lua'}:3"
    assert policy.find("example.org", Session("1", Peer("192.0.2.1"))) is None


@pytest.fixture
def helped(tmp_path: Path) -> LuaPolicy:
    """The third snippet, with the example application's file where it says."""
    rules = (ROOT / "config" / "listener_domains.toml").read_text()
    (tmp_path / "listener_domains.toml").write_text(rules)
    return load(POLICIES / "guide_helper.lua", {"/opt/kumomta/etc": str(tmp_path)})


def test_the_helper_reads_the_file(helped: LuaPolicy, tmp_path: Path) -> None:
    """Entries, wildcards, a listener's section and origins are those of the tables."""
    elsewhere = Session("1", Peer("192.0.2.1"), "127.0.0.2:25", "127.0.0.2:25")
    found = helped.find("x.example.com", elsewhere)
    assert found is not None
    assert found.key == "*.example.com"
    assert str(tmp_path / "listener_domains.toml") in helped.origin(found)
    here = Session("1", Peer("192.0.2.1"), "127.0.0.1:25", "127.0.0.1:25")
    section = helped.find("x.example.com", here)
    assert section is not None
    assert section.section == "127.0.0.1:25"
    assert next(helped.walk("x.example.com", here)).key == "x.example.com"


def test_the_helper_has_no_lua_in_its_way(helped: LuaPolicy) -> None:
    """Its look-ups are the tables' own."""
    assert type(helped.find.__self__).__name__ == "Tables"
    assert str(helped.files[-1]).endswith("listener_domains.toml")


def test_a_stock_init(tmp_path: Path, caplog: pytest.LogCaptureFixture, session: Session) -> None:
    """Spool, logs, HTTP, queues, shaping, egress and dkim are set aside, each said once."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "listener_domains.toml").write_text('["example.com"]\nrelay_to = true\n')
    with caplog.at_level(logging.INFO):
        policy = load(POLICIES / "stock_init.lua", {"/opt/kumomta/etc": str(tmp_path)})
    notes = [record.getMessage() for record in caplog.records]
    assert sum("kumo.define_spool has no effect here" in note for note in notes) == 1
    assert any(re.search(r"stock_init.lua:\d+: kumo.start_http_listener", note) for note in notes)
    (listener,) = policy.listeners
    assert listener.hostname == "mail.example.com"
    assert policy.events.max_segment_duration == 10.0
    assert policy.find("example.com", session) is not None
    message = policy.events.message("1", session, parse("a@b.c"), [parse("d@e.f")], b"\r\n")
    assert policy.events.received(session, message) is None


def test_the_guide_itself(tmp_path: Path) -> None:
    """Every Lua block of the guide loads, where the guide is at hand."""
    guide = ROOT.parent / "shared" / "guide.md"
    if not guide.exists():
        pytest.skip(f"no guide at {guide}")
    blocks = re.findall(r"```lua\n(.*?)```", guide.read_text(), re.DOTALL)
    assert len(blocks) == 3
    rules = (ROOT / "config" / "listener_domains.toml").read_text()
    (tmp_path / "listener_domains.toml").write_text(rules)
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.lua"
        path.write_text(f"local kumo = require 'kumo'\n{block}")
        load(path, {"/opt/kumomta/etc": str(tmp_path)})


@pytest.mark.parametrize("spelling", ["/opt/kumomta/etc", "/opt/kumomta/etc/", "/opt/kumomta"])
def test_paths_are_mapped(policy: Callable[..., LuaPolicy], tmp_path: Path, spelling: str) -> None:
    """The start of a path stands for another, on the border of a folder; the longest decides."""
    target = tmp_path / ("etc" if spelling.endswith("kumomta") else "")
    target.mkdir(exist_ok=True)
    (target / "domains.toml").write_text('["example.com"]\nrelay_to = true\n')
    text = (
        "local d = require 'policy-extras.listener_domains'\n"
        "require('kumo').on('get_listener_domain', d:setup{'/opt/kumomta/etc/domains.toml'})"
    )
    made = policy(text, **{spelling: str(tmp_path), "/opt/kumomta/et": "/nowhere"})
    assert made.find("example.com", Session("1", Peer("192.0.2.1"))) is not None

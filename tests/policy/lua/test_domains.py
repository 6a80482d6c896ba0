"""get_listener_domain: what a script returns, and what becomes of what it should not return."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError, PolicyError
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.reply import of_error
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.listener_domain import ListenerDomain, ReportDisposition
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.relaying import decide
from kumo_handlers.policy.tables import load as load_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kumo_handlers.policy.lua.policy import LuaPolicy

    Handler = Callable[[str], LuaPolicy]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {}),
        ("relay_to = true", {"relay_to": True}),
        ("relay_from = {}", {}),
        ("relay_from = { '10.0.0.0/24', 'any' }", {"relay_from": ["10.0.0.0/24", "any"]}),
        ("relay_from_authz = { 'ann' }", {"relay_from_authz": ["ann"]}),
        ("log_oob = true, log_arf = 'LogThenDrop'", {"log_oob": True, "log_arf": "LogThenDrop"}),
        ("log_oob = false, ttl = '5 minutes'", {}),
    ],
)
def test_options_are_those_of_toml(
    handler: Handler, session: Session, options: str, expected: dict[str, object]
) -> None:
    """The same table means the same in Lua and in a file."""
    found = handler(f"return kumo.make_listener_domain {{ {options} }}").find("a.example", session)
    written = load_tables([{"a.example": expected}]).find("a.example", session)
    assert found is not None
    assert written is not None
    assert found.options == written.options


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("relay_too = true", "unknown option"),
        ("relay_to = 'true'", "option relay_to: wrong value, got 'true'; expected true or false"),
        ("relay_from = '10.0.0.0/24'", "Did you mean"),
        ("relay_from = { '10.0.0.1/24' }", "Did you mean 10.0.0.0/24"),
        ("log_oob = 'logthendrop'", "Did you mean LogThenDrop"),
        ("inherit = true", "unknown option"),
    ],
)
def test_wrong_options(handler: Handler, session: Session, options: str, problem: str) -> None:
    """The error of TOML, with the file and the line of the call."""
    made = handler(f"local domain =\n  kumo.make_listener_domain {{ {options} }}\nreturn domain")
    with pytest.raises(PolicyError, match=re.escape(problem)) as caught:
        made.find("a.example", session)
    assert "policy.lua:4: " in str(caught.value)
    assert of_error(caught.value, "mx").code == 421


def test_all_that_is_wrong_is_said(handler: Handler, session: Session) -> None:
    """Not only the first."""
    made = handler("return kumo.make_listener_domain { relay_to = 1, log_oob = 2 }")
    with pytest.raises(PolicyError) as caught:
        made.find("a.example", session)
    assert "relay_to" in str(caught.value)
    assert "log_oob" in str(caught.value)


@pytest.mark.parametrize("value", ["true", "{ relay_to = true }", "'example.com'", "42", "print"])
def test_what_is_no_domain(handler: Handler, session: Session, value: str) -> None:
    """Only what make_listener_domain made is one: the handler and its line are named."""
    with pytest.raises(PolicyError, match=r"policy.lua:2: get_listener_domain returned a"):
        handler(f"return {value}").find("a.example", session)


def test_a_refusal_is_no_answer(handler: Handler, session: Session) -> None:
    """kumo.reject has no meaning in a look-up: nobody is let in."""
    with pytest.raises(PolicyError, match=r"policy\.lua:3: a domain cannot be refused: 550 no"):
        handler("kumo.reject(550, 'no')").find("a.example", session)


def test_a_failed_look_up_is_never_an_accept(handler: Handler, session: Session) -> None:
    """The relay decision fails with it, whatever the other party's entry says."""
    made = handler(
        "if domain == 'good.example' then return kumo.make_listener_domain { relay_to = true } end"
        " error 'broken'"
    )
    listener = Listener(relay_hosts=Networks.parse(()))
    with pytest.raises(PolicyError, match=r"policy\.lua:3: broken"):
        decide(made, listener, session, parse("b@bad.example"), parse("a@good.example"))


def test_origin_is_the_line_of_the_call(handler: Handler, session: Session) -> None:
    """Where it is no tail call; several calls have several lines."""
    made = handler(
        "local first = kumo.make_listener_domain { relay_to = true }\n"
        "local second = kumo.make_listener_domain { relay_to = true }\n"
        "return domain == 'one.example' and first or second"
    )
    lines = []
    for domain in ("one.example", "two.example"):
        found = made.find(domain, session)
        assert found is not None
        lines.append(made.origin(found).rpartition(":")[2])
    assert lines == ["3", "4"]


def test_a_domain_made_at_the_top(policy: Callable[..., LuaPolicy], session: Session) -> None:
    """It is good for ever, however many others are made."""
    made = policy(
        "local kumo = require 'kumo'\n"
        "local kept = kumo.make_listener_domain { log_oob = 'LogThenRelay' }\n"
        "local n = 0\n"
        "kumo.on('get_listener_domain', function(domain)\n"
        "  if domain == 'kept.example' then return kept end\n"
        "  n = n + 1\n"
        "  local ip = string.format('10.%d.%d.%d', n // 65536, n // 256 % 256, n % 256)\n"
        "  return kumo.make_listener_domain { relay_from = { ip } }\n"
        "end)"
    )
    for _ in range(20_000):
        assert made.find("other.example", session) is not None
    found = made.find("kept.example", session)
    assert found is not None
    assert found.options == ListenerDomain(log_oob=ReportDisposition.LOG_THEN_RELAY)


def test_arguments(handler: Handler) -> None:
    """The folded domain, the address that was connected to, the connection's metadata."""
    made = handler(
        "assert(domain == 'xn--bcher-kva.example' and listener == '10.0.0.1:25')\n"
        "assert(conn_meta:get_meta 'received_from' == '192.0.2.1:99')\n"
        "assert(conn_meta:get_meta 'received_via' == '10.0.0.1:25')\n"
        "assert(conn_meta:get_meta 'ehlo_domain' == 'client.example')\n"
        "assert(conn_meta:get_meta 'authz_id' == 'ann')\n"
        "assert(conn_meta:get_meta 'nothing' == nil)"
    )
    client = Session(
        "1",
        Peer("192.0.2.1", 99),
        "0.0.0.0:25",
        "10.0.0.1:25",
        client_name="client.example",
        authz_id="ann",
        meta={},
    )
    assert made.find("xn--bcher-kva.example", client) is None


def test_routes_ask_for_every_listener(policy: Callable[..., LuaPolicy]) -> None:
    """Once on each; a script that needs to know the client is passed over, and nothing breaks."""
    made = policy(
        "local kumo = require 'kumo'\n"
        "kumo.start_esmtp_listener { listen = '127.0.0.1:2001' }\n"
        "kumo.start_esmtp_listener { listen = '127.0.0.1:2002' }\n"
        "kumo.on('get_listener_domain', function(domain, listener, conn_meta)\n"
        "  if listener == '127.0.0.1:2002' then\n"
        "    return kumo.make_listener_domain { log_oob = true }\n"
        "  end\n"
        "  return conn_meta:get_meta('tenant').domain\n"
        "end)"
    )
    (found,) = made.find_anywhere("a.example")
    assert found.options.log_oob.logs
    assert list(made.entries()) == []


def test_a_script_that_asks_the_helper(
    policy: Callable[..., LuaPolicy], tmp_path: Path, session: Session
) -> None:
    """The helper's function may be called by a handler: the answer is the tables'."""
    (tmp_path / "domains.toml").write_text(
        '["example.com"]\nrelay_to = true\n[listener."127.0.0.1:25"."b.example"]\nlog_oob = true\n'
    )
    made = policy(
        "local kumo = require 'kumo'\n"
        "local helper = require 'policy-extras.listener_domains'\n"
        f"local ask = helper:setup {{ '{tmp_path}/domains.toml' }}\n"
        "kumo.on('get_listener_domain', function(domain, listener, conn_meta)\n"
        "  if domain == 'mine.example' then\n"
        "    return kumo.make_listener_domain { log_arf = true }\n  end\n"
        "  return ask(domain, listener, conn_meta)\n"
        "end)"
    )
    answers = [made.find(each, session) for each in ("example.com", "b.example", "mine.example")]
    assert all(answers)
    assert made.find("c.example", session) is None
    assert str(tmp_path / "domains.toml") in made.files


def test_the_helper_takes_tables_too(policy: Callable[..., LuaPolicy], session: Session) -> None:
    """KumoMTA lets a list of files hold a table in place."""
    made = policy(
        "local d = require 'policy-extras.listener_domains'\n"
        "local rules = { ['*.example'] = { relay_from = {} } }\n"
        "require('kumo').on('get_listener_domain', d:setup { rules })"
    )
    assert made.find("a.example", session) is not None


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("d.setup({ 'x.toml' })", "with a colon"),
        ("d:setup({})", "setup takes a list of files"),
        ("d:setup({ '/nowhere/x.toml' })", "/nowhere/x.toml: cannot be read"),
        ("d:setup({ { a = { relay_too = true } } })", "relay_too: unknown option"),
        ("d:setup({ {} }) d:setup({ {} })", "already been configured"),
    ],
)
def test_the_helper_used_wrongly(policy: Callable[..., LuaPolicy], call: str, problem: str) -> None:
    """The tables' own errors, or the line of the call."""
    with pytest.raises(ConfigurationError, match=problem):
        policy(f"local d = require 'policy-extras.listener_domains'\n{call}")

"""Policies in Lua: what a look-up costs, by a function of the policy and through the helper."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lookup import domains
from benchmarks.measure import measure, show
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy import tables
from kumo_handlers.policy.lua.loading import load

if TYPE_CHECKING:
    from kumo_handlers.policy.lua.policy import LuaPolicy

FUNCTION = """
local kumo = require 'kumo'
kumo.on('get_listener_domain', function(domain, listener, conn_meta)
  if domain == 'example.com' then
    return kumo.make_listener_domain { relay_to = true, log_oob = 'LogThenDrop' }
  elseif domain == 'meta.example' and conn_meta:get_meta 'received_from' then
    return kumo.make_listener_domain { relay_from = { '10.0.0.0/24', '192.0.2.0/24' } }
  end
end)
kumo.on('smtp_server_mail_from', function(sender, conn_meta)
  conn_meta:set_meta('sender', sender.domain)
end)
"""
HELPER = """
local listener_domains = require 'policy-extras.listener_domains'
require('kumo').on('get_listener_domain', listener_domains:setup { 'FILE' })
"""


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        functions(Path(folder))
        helper(Path(folder))


def policy(folder: Path, text: str) -> LuaPolicy:
    """A policy from its text."""
    path = folder / "policy.lua"
    path.write_text(text)
    return load(path)


def functions(folder: Path) -> None:
    """Events that call into Lua."""
    made = policy(folder, FUNCTION)
    session = Session("s", Peer("192.0.2.1", 25), "127.0.0.1:25", "127.0.0.1:25", meta={})
    sender = parse("ann@example.net")
    show(
        "get_listener_domain in Lua",
        measure(
            {
                "no match": lambda: made.find("nothing.example", session),
                "a match": lambda: made.find("example.com", session),
                "a match, metadata, two networks": lambda: made.find("meta.example", session),
                "smtp_server_mail_from": lambda: made.events.mail(session, sender),
            }
        ),
    )


def helper(folder: Path) -> None:
    """The same rules by TOML alone, and through KumoMTA's helper."""
    rules = folder / "domains.toml"
    rules.write_text("".join(f'["{name}"]\nlog_oob = true\n' for name in domains(100_000)))
    alone = tables.load([rules])
    helped = policy(folder, HELPER.replace("FILE", str(rules)))
    session = Session("s", Peer("192.0.2.1", 25), "127.0.0.1:25", "127.0.0.1:25", meta={})
    show(
        "the same 100,000 domains",
        measure(
            {
                "TOML alone": lambda: alone.find("d5.example", session),
                "through the helper": lambda: helped.find("d5.example", session),
            }
        ),
    )


if __name__ == "__main__":
    main()

"""Changes of a policy in Lua: what is offered can be put into it, and accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.policy.lua.loading import load
from kumo_handlers.policy.remedy import remedies
from kumo_handlers.policy.situation import Question, of

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
local kumo = require 'kumo'
kumo.start_esmtp_listener { listen = '127.0.0.1:2525', relay_hosts = { '10.0.0.0/8' } }
kumo.on('get_listener_domain', function(domain)
%s
  if domain == 'known.example' then
    return kumo.make_listener_domain { relay_from = { '10.9.0.0/16' } }
  end
end)
"""


@pytest.mark.parametrize("recipient", ["x@known.example", "x@unknown.example"])
@pytest.mark.parametrize("sender", ["", "x@known.example", "x@elsewhere.example"])
def test_each_change_accepts(tmp_path: Path, sender: str, recipient: str) -> None:
    """A new answer stands before the others, a changed one in place of the old."""
    path = tmp_path / "policy.lua"
    path.write_text(POLICY % "")
    policy = load(path)
    at = of(Question(peer="192.0.2.1", sender=sender, recipient=recipient), policy.listeners)
    offered = remedies(policy, at, at.decide(policy))
    assert len(offered) == (5 if sender else 4)
    *answers, hosts = offered
    assert hosts.lines == ('relay_hosts = { "10.0.0.0/8", "192.0.2.1" }',)
    for remedy in answers:
        lines = "\n".join(remedy.lines)
        if remedy.where:
            assert remedy.where.startswith(f"{path}:")
            lines = f"if domain == 'known.example' then {lines} end"
        path.write_text(POLICY % lines)
        assert at.decide(load(path)).accepted

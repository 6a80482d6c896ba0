"""A decision, step by step: what was asked of the policy, and which of the rules held.

Values of plain text only, so that a command can print them or give them out as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.policy import toml_text
from kumo_handlers.policy.remedy import Remedy, remedies
from kumo_handlers.policy.step import walk

if TYPE_CHECKING:
    from kumo_handlers.policy.base import Found, Policy
    from kumo_handlers.policy.networks import Networks
    from kumo_handlers.policy.situation import Situation


class Asked(msgspec.Struct, frozen=True):
    """One key that was asked for. ``answer`` is ``nothing``, ``found`` or ``passed over``.

    ``options`` are those of the entry that are not as they are by default, in TOML's spelling;
    ``origin`` is ``FILE:LINE``.
    """

    section: str
    key: str
    answer: str
    origin: str = ""
    options: dict[str, str] = {}


class Lookup(msgspec.Struct, frozen=True):
    """How the entry for one domain was found, or not."""

    domain: str
    asked: tuple[Asked, ...]

    @property
    def found(self) -> Asked | None:
        """The entry that answers."""
        return next((each for each in self.asked if each.answer == "found"), None)


class Rule(msgspec.Struct, frozen=True):
    """One of the rules that may accept a recipient: whether it holds, and why."""

    name: str
    holds: bool
    because: str


class Explanation(msgspec.Struct, frozen=True):
    """A decision and its reasons. The first of ``rules`` that holds is ``rule``."""

    accepted: bool
    relay: bool
    rule: str
    recipient: Lookup
    sender: Lookup
    rules: tuple[Rule, ...]
    remedies: tuple[Remedy, ...]
    policy: str


def explain(policy: Policy, situation: Situation) -> Explanation:
    """Why ``situation`` is decided as it is. Raises `PolicyError` when the policy cannot answer."""
    disposition = situation.decide(policy)
    recipient = _lookup(policy, situation, situation.forward_path.domain)
    sender = _lookup(policy, situation, situation.reverse_path.domain)
    return Explanation(
        disposition.accepted,
        disposition.relay,
        disposition.rule,
        recipient,
        sender,
        _rules(policy, situation, disposition.found),
        remedies(policy, situation, disposition),
        disposition.policy,
    )


def _lookup(policy: Policy, situation: Situation, domain: str) -> Lookup:
    asked: list[Asked] = []
    answer = "found"
    for step in walk(policy, domain, situation.session):
        if step.found is None:
            # What is not there matters only until something is.
            if answer == "found":
                asked.append(Asked(step.section, step.key, "nothing"))
            continue
        options = toml_text.options_of(step.found.options)
        shown = {name: toml_text.value(given) for name, given in options.items()}
        asked.append(Asked(step.section, step.key, answer, policy.origin(step.found), shown))
        answer = "passed over"
    return Lookup(domain, tuple(asked))


def _rules(policy: Policy, situation: Situation, found: Found | None) -> tuple[Rule, ...]:
    """The rules in the order of the decision, each judged by itself."""
    session, listener = situation.session, situation.listener
    host, identity = session.peer.host, session.authz_id
    sender = policy.find(situation.reverse_path.domain, session)
    networks = sender.options.relay_from if sender else None
    identities = sender.options.relay_from_authz if sender else frozenset()
    return (
        _in_networks("relay_hosts", f"listener {listener.listen}", listener.relay_hosts, host),
        _in_networks("relay_from", str(sender or "the sender's domain"), networks, host),
        Rule("relay_from_authz", identity in identities, _authorized(sender, identity)),
        *(_switch(name, found) for name in ("relay_to", "log_arf", "log_oob")),
    )


def _in_networks(name: str, owner: str, networks: Networks | None, host: str) -> Rule:
    if networks is None:
        return Rule(name, holds=False, because=f"no entry for {owner}")
    block = networks.source_of(host)
    if block is not None:
        return Rule(name, holds=True, because=f"{host} is in {block}, {owner}")
    if not networks:
        return Rule(name, holds=False, because=f"{owner} names no networks")
    where = f"{host or 'a peer without an address'} is not in {toml_text.value(networks)}"
    return Rule(name, holds=False, because=f"{where}, {owner}")


def _authorized(sender: Found | None, identity: str | None) -> str:
    if sender is None:
        return "no entry for the sender's domain"
    identities = sender.options.relay_from_authz
    if not identities:
        return f"{sender} names no identities"
    if identity is None:
        return f"not authenticated; {sender} has {toml_text.value(identities)}"
    return f"{identity!r} is {'' if identity in identities else 'not '}one of {sender}"


def _switch(name: str, found: Found | None) -> Rule:
    """An option of the recipient's entry that is off or on."""
    if found is None:
        return Rule(name, holds=False, because="no entry for the recipient's domain")
    given = toml_text.options_of(found.options).get(name)
    text = "false" if given is None else toml_text.value(given)
    return Rule(name, holds=given is not None, because=f"{found} says {text}")

"""Where a recipient is refused: the smallest changes of the policy that would accept it.

Each is one entry of the rules, or one option of the listener. A new entry takes a domain out of
the wildcard that answered for it until now, so it repeats what the wildcard said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.policy import lua_text, toml_text
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.step import Walking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kumo_handlers.policy.base import Found, Policy
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.policy.situation import Situation


class Remedy(msgspec.Struct, frozen=True):
    """One change: what it does, where it is made, and its lines.

    ``where`` is the place of the entry that is changed; empty for a new one.
    """

    effect: str
    lines: tuple[str, ...]
    where: str = ""


def remedies(
    policy: Policy, situation: Situation, disposition: RelayDisposition
) -> tuple[Remedy, ...]:
    """The changes by which a refused recipient is accepted; none where it already is."""
    if disposition.accepted:
        return ()
    return (
        *_of_recipient(policy, situation, disposition.found),
        *_of_sender(policy, situation, disposition.sender_found),
        *_of_listener(policy, situation),
    )


def _of_recipient(policy: Policy, situation: Situation, found: Found | None) -> Iterator[Remedy]:
    domain = situation.forward_path.domain
    if not domain:  # only the catch-all has an entry for it: nothing small can be said
        return
    for option, effect in (
        ("relay_to", f"anyone may send anything to {domain}"),
        ("log_oob", f"bounces to {domain} are logged; other mail is refused after DATA"),
        ("log_arf", f"complaints to {domain} are logged; other mail is refused after DATA"),
    ):
        yield _changed(policy, domain, found, {option: True}, effect)


def _of_sender(policy: Policy, situation: Situation, found: Found | None) -> Iterator[Remedy]:
    domain, host = situation.reverse_path.domain, situation.session.peer.host
    if not domain:
        return
    if host:
        blocks = found.options.relay_from.blocks if found else ()
        peers = Networks.parse((*blocks, host))
        effect = f"{host} may send from {domain} to anyone"
        yield _changed(policy, domain, found, {"relay_from": peers}, effect)
    identity = situation.session.authz_id
    if identity:
        known = found.options.relay_from_authz if found else frozenset()
        effect = f"{identity}, once authenticated, may send from {domain} to anyone"
        given = {"relay_from_authz": known | {identity}}
        yield _changed(policy, domain, found, given, effect)


def _of_listener(policy: Policy, situation: Situation) -> Iterator[Remedy]:
    host, listener = situation.session.peer.host, situation.listener
    if host:
        peers = Networks.parse((*listener.relay_hosts.blocks, host))
        text = lua_text if policy.listeners else toml_text
        yield Remedy(
            f"{host} may send anything to anyone",
            (f"relay_hosts = {text.value(peers)}",),
            f"listener {listener.listen}",
        )


def _changed(
    policy: Policy, domain: str, found: Found | None, given: Mapping[str, object], effect: str
) -> Remedy:
    """The entry for ``domain`` with the options ``given``: the one there is, or a new one.

    A policy that cannot be walked is a function: what it returns is changed.
    """
    if not isinstance(policy, Walking):
        said = toml_text.options_of(found.options) if found else {}
        lines = lua_text.answer(domain, {**said, **given}, is_new=found is None)
        return Remedy(effect, lines, policy.origin(found) if found else "")
    if found is not None and found.key == domain:
        lines = toml_text.block(found.section, domain, given.items())
        return Remedy(effect, lines, policy.origin(found))
    kept = toml_text.options_of(found.options) if found else {}
    kept.pop("inherit", None)
    section = found.section if found else ""
    return Remedy(effect, toml_text.block(section, domain, {**kept, **given}.items()))

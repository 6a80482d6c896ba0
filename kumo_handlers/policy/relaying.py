"""The relay decision: whether a recipient is accepted, whether mail to it is relayed, and why.

    relay  = peer in listener.relay_hosts  or  peer in D(sender).relay_from
             or  session.authz_id in D(sender).relay_from_authz  or  D(recipient).relay_to
    accept = relay  or  D(recipient) logs feedback reports  or  D(recipient) logs bounces

``D(x)`` is the policy's entry for the domain of an address. The sender is the envelope's
reverse-path, never a header; the null one has the empty domain, which only the catch-all answers.
A peer without an address is in no list. Nothing here does I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener_domain import ListenerDomain, ReportDisposition

if TYPE_CHECKING:
    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.networks import Networks

Rule = Literal[
    "relay_hosts", "relay_from", "relay_from_authz", "relay_to", "log_arf", "log_oob", "none"
]

_RELAYING = frozenset({"relay_hosts", "relay_from", "relay_from_authz", "relay_to"})
# What a domain that has no entry allows.
_NO_ENTRY = ListenerDomain()


class RelayDisposition(msgspec.Struct, frozen=True, gc=False):
    """The decision on one recipient.

    ``rule`` is the first, in the order above, that accepts. ``found`` is the recipient's entry;
    ``sender_found`` the sender's, where it was asked for. ``policy`` is the policy's version.
    """

    relay: bool
    accepted: bool
    rule: Rule
    log_arf: ReportDisposition = ReportDisposition.IGNORE
    log_oob: ReportDisposition = ReportDisposition.IGNORE
    found: Found | None = None
    sender_found: Found | None = None
    policy: str = ""


def decide(
    policy: Policy,
    listener: Listener,
    session: Session,
    reverse_path: Address,
    forward_path: Address,
) -> RelayDisposition:
    """Decide on one recipient. Raises `PolicyError` when the policy cannot answer."""
    found = policy.find(forward_path.domain, session)
    options = found.options if found else _NO_ENTRY
    sender_found = None
    if session.peer.host in listener.relay_hosts:
        rule: Rule = "relay_hosts"
    else:
        sender_found = policy.find(reverse_path.domain, session)
        rule = _sender_rule(sender_found, session) or _recipient_rule(options)
    relay = rule in _RELAYING
    return RelayDisposition(
        relay,
        relay or rule != "none",
        rule,
        options.log_arf,
        options.log_oob,
        found,
        sender_found,
        policy.version,
    )


def _sender_rule(found: Found | None, session: Session) -> Rule | None:
    """Whether the sender's domain vouches for this peer, or for who it authenticated as."""
    if found is None:
        return None
    if session.peer.host in found.options.relay_from:
        return "relay_from"
    if session.authz_id in found.options.relay_from_authz:
        return "relay_from_authz"
    return None


def _recipient_rule(options: ListenerDomain) -> Rule:
    """What the recipient's domain accepts mail for."""
    if options.relay_to:
        return "relay_to"
    if options.log_arf is not ReportDisposition.IGNORE:
        return "log_arf"
    if options.log_oob is not ReportDisposition.IGNORE:
        return "log_oob"
    return "none"


def reason(
    disposition: RelayDisposition, policy: Policy, listener: Listener, session: Session
) -> str:
    """Why it was decided so, for the log: the rule, the entry, the file and line."""
    recipient = _entry(disposition.found, policy)
    sender = _entry(disposition.sender_found, policy)
    match disposition.rule:
        case "relay_hosts":
            block = _block(listener.relay_hosts, session)
            return f"relay_hosts of listener {listener.listen}: {block}"
        case "relay_from" if disposition.sender_found:
            networks = disposition.sender_found.options.relay_from
            return f"relay_from of {sender}: {_block(networks, session)}"
        case "relay_from_authz":
            return f"relay_from_authz of {sender}: {session.authz_id!r}"
        case "none":
            outside = f"{session.peer} is not in relay_hosts of listener {listener.listen}"
            return f"{outside}; sender: {sender}; recipient: {recipient}"
        case rule:
            return f"{rule} of {recipient}"


def _block(networks: Networks, session: Session) -> str:
    """The block that decided, as it was written."""
    return f"{networks.source_of(session.peer.host)} holds {session.peer.host}"


def _entry(found: Found | None, policy: Policy) -> str:
    """An entry and where it was written."""
    if found is None:
        return "no entry"
    origin = policy.origin(found)
    return f"{found} ({origin})" if origin else str(found)

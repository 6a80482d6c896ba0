"""The relay decision, written a second time: from its formula, and from nothing of the package.

Rules and listeners are the raw tables that the package is given; addresses come with the domain
that a person read in them (`paths`). Networks are the standard library's.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

Table = dict[str, Any]

# How names of the tables are compared, where that is not as they are written.
FOLDED = {
    "To.Example.": "to.example",
    "münchen.example": "xn--mnchen-3ya.example",
    "[IPv6:2001:DB8::25]": "[ipv6:2001:db8::25]",
}


@dataclass(frozen=True)
class Client:
    """Who asks: the address (None where there is none), where it connected to, who it is."""

    address: str | None
    local: str
    authz: str | None


def is_accepted(rules: Table, listener: Table, client: Client, sender: str, recipient: str) -> bool:
    """Whether a recipient is accepted; ``sender`` and ``recipient`` are domains."""
    of_sender = _entry(rules, client.local, listener["listen"], sender)
    of_recipient = _entry(rules, client.local, listener["listen"], recipient)
    relay = (
        _holds(_relay_hosts(listener, client), client.address)
        or _holds(of_sender.get("relay_from", []), client.address)
        or client.authz in of_sender.get("relay_from_authz", [])
        or of_recipient.get("relay_to", False)
    )
    logs = any(of_recipient.get(name, False) not in OFF for name in ("log_arf", "log_oob"))
    return relay or logs


OFF = (False, "Ignore")


def _entry(rules: Table, local: str, listen: str, domain: str) -> Table:
    """The first entry: the local address's section, the listener's, the general part."""
    general = {FOLDED.get(key, key): table for key, table in rules.items() if key != "listener"}
    sections = rules.get("listener", {})
    for section in (sections.get(local, {}), sections.get(listen, {})):
        key = _key(section, domain)
        if key is not None:
            inherited = general.get(key, {}) if section[key].get("inherit") else {}
            return {**inherited, **section[key]}
    key = _key(general, domain)
    return general[key] if key is not None else {}


def _key(part: Table, domain: str) -> str | None:
    labels = domain.split(".")
    above = [f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels))]
    return next((key for key in (domain, *above, "*") if key in part), None)


def _relay_hosts(listener: Table, client: Client) -> list[str]:
    """The option of the listener, unless blocks of ``via``, and then of ``peer``, say another."""
    hosts: list[str] = listener.get("relay_hosts", ["127.0.0.1", "::1"])
    here = client.local.rpartition(":")[0].strip("[]")
    for blocks, address in ((listener.get("via", {}), here), (listener["peer"], client.address)):
        for block in sorted(blocks, key=lambda block: ipaddress.ip_network(block).prefixlen):
            if _holds([block], address):
                hosts = blocks[block].get("relay_hosts", hosts)
    return hosts


def _holds(blocks: list[str], address: str | None) -> bool:
    if address is None:
        return False
    host = ipaddress.ip_address(address)
    return any(block == "any" or host in ipaddress.ip_network(block) for block in blocks)

"""The sessions of the matrix, and what each is to be told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .oracle import Client, is_accepted
from .rules import LOCALS, XCLIENT_PROXY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .paths import Path

Table = dict[str, Any]
# The address as the kernel says it, and the address that it is; None has none.
PEERS = (
    ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    ("10.0.0.5", "10.0.0.5"),
    ("::ffff:10.0.0.5", "10.0.0.5"),
    ("::ffff:127.0.0.1", "127.0.0.1"),
    ("10.0.1.7", "10.0.1.7"),
    ("10.0.1.8", "10.0.1.8"),
    ("10.9.1.1", "10.9.1.1"),
    ("203.0.113.9", "203.0.113.9"),
    ("198.18.0.9", "198.18.0.9"),
    ("2001:db8:1::5", "2001:db8:1::5"),
    ("2001:DB8:2:0:0::7", "2001:db8:2::7"),
    ("fe80::1%eth0", "fe80::1"),
    (XCLIENT_PROXY, XCLIENT_PROXY),
    ("", None),
)
# Name, password, and as whom the session acts; the name is told what it may act as.
LOGINS = (
    (None, None),
    ("ann", "ann"),
    ("bob", "bob"),
    ("bob as ann", "ann"),
    ("ann as bob", "bob"),
    ("ANN", "ANN"),
    ("Ann Müller", "Ann Müller"),
    ("ann@send.example", "ann@send.example"),
    ("wrong", None),
)
WAYS = (
    "direct",
    "PROXY 1",
    "PROXY 2",
    "XCLIENT",
    "AUTH, XCLIENT",
    "XFORWARD",
    "untrusted XCLIENT",
    "untrusted XFORWARD",
)


@dataclass(frozen=True)
class Situation:
    """One session: how it came, from whom, to where, and who it says it is.

    ``peer`` is the address as the kernel writes it and as it is; ``login`` is what AUTH says
    (``wrong``, or a name, or ``NAME as OTHER``) and the identity that it gives.
    """

    way: str
    peer: tuple[str, str | None]
    local: str
    login: tuple[str | None, str | None]


def situations() -> Iterator[Situation]:
    """All that can be: not every way can carry every peer."""
    for way, peer, local, login in itertools.product(WAYS, PEERS, LOCALS, LOGINS):
        address = peer[0]
        if "%" in address and way != "direct":
            continue
        if way.startswith("PROXY") and not address:
            continue
        if way.startswith("untrusted") and address in (XCLIENT_PROXY, ""):
            continue
        yield Situation(way, peer, local, login)


SITUATIONS = tuple(situations())


def expected(rules: Table, listener: Table, situation: Situation, sender: Path, to: Path) -> str:
    """The reply to RCPT; of a reply to what is no address, the class."""
    if sender.domain is None or to.domain is None or to.is_null:
        return "5"
    address = situation.peer[1]
    client = Client(address, situation.local, situation.login[1])
    if is_accepted(rules, listener, client, sender.domain, to.domain):
        return "250 2.1.5 recipient OK"
    shown = f"[{address}]" if address and ":" in address else address
    end = f"{shown}:40001" if shown else "an unknown peer"
    return f"550 5.7.1 relaying not permitted for {end}"

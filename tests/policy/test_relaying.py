"""The relay decision, in full, against the formula told a second time."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import PolicyError
from kumo_handlers.mail.address import NULL, parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.relaying import RelayDisposition, decide, reason
from kumo_handlers.policy.tables import load

if TYPE_CHECKING:
    from kumo_handlers.policy.base import Found, Policy

LISTENER = Listener(listen="127.0.0.1:25", relay_hosts=Networks.parse(["192.0.2.0/24"]))
HOSTS = {"trusted": "192.0.2.7", "sender's": "10.0.0.7", "stranger": "198.51.100.7", "none": ""}
LOGGED = ("Ignore", "LogThenDrop", "LogThenRelay", True, False)


def session(host: str, authz_id: str | None = None) -> Session:
    """A client at that address."""
    at = LISTENER.listen
    return Session("1", Peer(host, 4242), listener=at, local=at, authz_id=authz_id)


def told_again(options: dict[str, Any], sender: dict[str, Any], who: Session) -> tuple[bool, bool]:
    """Relay and accept, from the raw options: the formula, without networks or tables."""
    host = who.peer.host
    relay = (
        host.startswith("192.0.2.")
        or (host.startswith("10.0.0.") and bool(sender.get("relay_from")))
        or who.authz_id in sender.get("relay_from_authz", [])
        or options.get("relay_to", False)
    )
    logs = any(options.get(name, False) not in {False, "Ignore"} for name in ("log_arf", "log_oob"))
    return relay, relay or logs


RECIPIENTS = [
    {"relay_to": relay_to, "log_oob": log_oob, "log_arf": log_arf}
    for relay_to, log_oob, log_arf in product((True, False), LOGGED, LOGGED)
]
SENDERS: list[dict[str, Any]] = [
    {},
    {"relay_from": ["10.0.0.0/24"]},
    {"relay_from_authz": ["bob"]},
    {"relay_from": ["10.0.0.0/24"], "relay_from_authz": ["bob"]},
]


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
@pytest.mark.parametrize("authz_id", [None, "bob", "eve", ""])
@pytest.mark.parametrize("sender", SENDERS)
def test_the_decision_table(host: str, authz_id: str | None, sender: dict[str, Any]) -> None:
    """Every peer, identity and sender's entry, with every recipient's entry and with none."""
    who = session(host, authz_id)
    for options in [*RECIPIENTS, None]:
        rules: dict[str, Any] = {"sender.example": sender}
        if options is not None:
            rules["recipient.example"] = options
        policy = load([rules])
        made = decide(
            policy, LISTENER, who, parse("s@sender.example"), parse("r@recipient.example")
        )
        assert (made.relay, made.accepted) == told_again(options or {}, sender, who)
        assert made.accepted == (made.rule != "none")
        assert made.policy == policy.version


EVERYTHING = {
    "sender.example": {"relay_from": ["any"], "relay_from_authz": ["bob"]},
    "recipient.example": {"relay_to": True, "log_arf": True, "log_oob": True},
    "reports.example": {"log_arf": True, "log_oob": True},
    "bounces.example": {"log_oob": "LogThenRelay"},
    "closed.example": {},
}


@pytest.mark.parametrize(
    ("host", "authz_id", "reverse_path", "recipient", "rule"),
    [
        ("192.0.2.7", "bob", "s@sender.example", "r@recipient.example", "relay_hosts"),
        ("10.0.0.7", "bob", "s@sender.example", "r@recipient.example", "relay_from"),
        ("", "bob", "s@sender.example", "r@recipient.example", "relay_from_authz"),
        ("", None, "s@sender.example", "r@recipient.example", "relay_to"),
        ("", None, "s@sender.example", "r@reports.example", "log_arf"),
        ("", None, "s@sender.example", "r@bounces.example", "log_oob"),
        ("", None, "s@sender.example", "r@closed.example", "none"),
        ("10.0.0.7", None, "", "r@closed.example", "none"),
    ],
)
def test_the_first_rule_that_accepts_is_named(
    host: str, authz_id: str | None, reverse_path: str, recipient: str, rule: str
) -> None:
    """In the order of the formula, whatever would accept as well."""
    policy, who = load([EVERYTHING]), session(host, authz_id)
    made = decide(policy, LISTENER, who, parse(reverse_path) or NULL, parse(recipient))
    assert made.rule == rule
    assert reason(made, policy, LISTENER, who)


@pytest.mark.parametrize(
    "recipient",
    ["R@Recipient.EXAMPLE", "Tok-En=AbC@recipient.example.", '"r r"@recipient.example'],
)
def test_domains_are_folded_and_local_parts_do_not_matter(recipient: str) -> None:
    """Mixed case, a trailing dot, a quoted local part."""
    made = decide(load([EVERYTHING]), LISTENER, session(""), NULL, parse(recipient))
    assert made.relay


@pytest.mark.parametrize(
    ("entry", "recipient"),
    [
        ("b\u00fccher.example", "r@xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "r@B\u00dcCHER.example"),
        ("*.b\u00fccher.example", "r@www.b\u00fccher.example"),
        ("[192.0.2.1]", "r@[192.0.2.1]"),
        ("[IPv6:2001:db8:0:0::1]", "r@[ipv6:2001:DB8::1]"),
        ("*", "postmaster"),
        ("*", "r@[192.0.2.1]"),
    ],
)
def test_names_meet_in_one_spelling(entry: str, recipient: str) -> None:
    """Internationalised names, literals, and ``<postmaster>``, which has no domain."""
    policy = load([{entry: {"relay_to": True}}])
    assert decide(policy, LISTENER, session(""), NULL, parse(recipient)).relay
    other = load([{"elsewhere.example": {"relay_to": True}}])
    assert not decide(other, LISTENER, session(""), NULL, parse(recipient)).accepted


def test_the_null_reverse_path_has_the_empty_domain() -> None:
    """Only the catch-all vouches for it."""
    rules = {"*": {"relay_from": ["10.0.0.0/8"]}, "*.example": {"relay_from": ["any"]}}
    to = parse("r@anywhere.test")
    made = decide(load([rules]), LISTENER, session("10.0.0.7"), NULL, to)
    assert made.rule == "relay_from"
    assert made.sender_found
    assert made.sender_found.key == "*"
    del rules["*"]
    assert not decide(load([rules]), LISTENER, session("10.0.0.7"), NULL, to).accepted


def test_a_peer_without_an_address_is_not_trusted() -> None:
    """Not even where everybody is."""
    listener = Listener(relay_hosts=Networks.parse(["any"]))
    policy = load([{"sender.example": {"relay_from": ["any"]}}])
    made = decide(policy, listener, session(""), parse("s@sender.example"), parse("r@a.example"))
    assert not made.accepted


def test_two_recipients_of_one_transaction_are_decided_apart() -> None:
    """One is relayed, the other only logs bounces; the entries found say which is which."""
    policy = load([EVERYTHING])
    first, second = (
        decide(policy, LISTENER, session(""), NULL, parse(recipient))
        for recipient in ("r@recipient.example", "r@bounces.example")
    )
    assert (first.relay, second.relay) == (True, False)
    assert first.found
    assert second.found
    assert (first.found.key, second.found.key) == ("recipient.example", "bounces.example")


class Failing:
    """A policy whose look-ups fail, as a Lua policy's may."""

    version, files, listeners = "failing", (), ()

    def find(self, domain: str, _session: Session) -> Found | None:
        """Fail."""
        raise PolicyError(f"no answer for {domain}")


def test_a_look_up_that_fails_is_never_an_accept() -> None:
    """Not even for a peer that may relay anywhere."""
    policy: Any = Failing()
    with pytest.raises(PolicyError):
        decide(policy, LISTENER, session("192.0.2.7"), NULL, parse("r@recipient.example"))


def explained(policy: Policy, who: Session, reverse_path: str, recipient: str) -> str:
    """The reason of a decision."""
    made: RelayDisposition = decide(
        policy, LISTENER, who, parse(reverse_path) or NULL, parse(recipient)
    )
    return reason(made, policy, LISTENER, who)


@pytest.mark.parametrize(
    ("host", "authz_id", "recipient", "text"),
    [
        (
            "192.0.2.7",
            None,
            "r@a.test",
            "relay_hosts of listener 127.0.0.1:25: 192.0.2.0/24 holds 192.0.2.7",
        ),
        (
            "10.0.0.7",
            None,
            "r@a.test",
            'relay_from of ["sender.example"] (table 1): any holds 10.0.0.7',
        ),
        ("", "bob", "r@a.test", "relay_from_authz of [\"sender.example\"] (table 1): 'bob'"),
        ("", None, "r@recipient.example", 'relay_to of ["recipient.example"] (table 1)'),
        ("", None, "r@bounces.example", 'log_oob of ["bounces.example"] (table 1)'),
    ],
)
def test_the_reason_names_the_entry_that_decided(
    host: str, authz_id: str | None, recipient: str, text: str
) -> None:
    """And where it was written, and which block of a list it was."""
    policy = load([EVERYTHING])
    assert explained(policy, session(host, authz_id), "s@sender.example", recipient) == text


def test_the_reason_of_a_refusal_names_all_that_was_asked() -> None:
    """The peer, the sender's entry, the recipient's."""
    policy = load([{"closed.example": {}}])
    assert explained(policy, session("198.51.100.7"), "s@a.test", "r@closed.example") == (
        "198.51.100.7:4242 is not in relay_hosts of listener 127.0.0.1:25; "
        'sender: no entry; recipient: ["closed.example"] (table 1)'
    )

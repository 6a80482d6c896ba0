"""A message that travelled is handled as if it had not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kumo_handlers.broker import encoding
from kumo_handlers.journal.record import Arrival, Response, encode, reception
from kumo_handlers.mail import address
from kumo_handlers.mail.reply import reply
from kumo_handlers.mail.session import Envelope, Peer, Session
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.consignment import Consignment, kind_of
from kumo_handlers.pipeline.letter import Letter
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener import Listener, TraceHeaders
from kumo_handlers.policy.listener_domain import ListenerDomain, ReportDisposition
from kumo_handlers.policy.relaying import RelayDisposition
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.queue.spool import EntryKey, Retry
from kumo_handlers.queue.unit import Unit
from kumo_handlers.reports import trace
from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION = Session(
    "s1",
    Peer("2001:db8::1", 99),
    listener="0.0.0.0:25",
    local="192.0.2.1:25",
    hostname="mx.example.com",
    client_name="caf\udce9",
    authz_id="ann",
    tls={"tls_cipher": "x", "tls_peer_subject_name": ["a"]},
    meta={"tenant": "t1", "deep": {"n": [1, 2.5, None, True]}},
)
LISTENER = Listener(
    listen="0.0.0.0:25",
    hostname="mx.example.com",
    trace_headers=TraceHeaders(include_meta_names=frozenset({"tenant"})),
)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much of an installation as reading a report takes."""
    some = SimpleNamespace(trace_keys=trace.NO_KEYS)
    monkeypatch.setattr(installation, "current", lambda: some)


def mail(recipient: str, content: bytes, **decided: Any) -> ReceivedMail:
    """What the listener would give to handlers."""
    forward_path = address.parse(recipient)
    options = ListenerDomain(log_oob=ReportDisposition.LOG, log_arf=ReportDisposition.LOG)
    taken = {
        "relay": False,
        "accepted": True,
        "rule": "log_oob",
        "log_oob": ReportDisposition.LOG,
        "log_arf": ReportDisposition.LOG,
        "found": Found(options, "*.example.com", "0.0.0.0:25"),
        "policy": "v7",
    }
    arrival = Arrival(
        id=f"id-{recipient}",
        session=SESSION,
        reverse_path=address.NULL,
        forward_path=forward_path,
        size=len(content),
        time=1234.5,
        nodeid="n1",
        meta={"rule": "log_oob"},
        headers={"subject": "x"},
    )
    envelope = Envelope(address.NULL, (forward_path,), body_8bit=True)
    return ReceivedMail(arrival, envelope, LISTENER, RelayDisposition(**(taken | decided)), content)


def travelled(mails: list[ReceivedMail]) -> list[ReceivedMail]:
    """The same, after they were octets."""
    octets = encoding.encode(Consignment.of("t1", mails))
    return encoding.decode(octets, Consignment).mails()


def test_records_are_the_same() -> None:
    """To the last octet, or who counts by key would count a repeat twice."""
    before = [mail("v@b.example.com", make_letter("x@y.example")), mail("w@b.example.com", b"\r\n")]
    before[1].is_discarded = True
    answer = Response.of(reply(250, "2.0.0", "OK"))
    for old, new in zip(before, travelled(before), strict=True):
        assert encode(reception(new.arrival, answer)) == encode(reception(old.arrival, answer))
        assert (new.Data, new.envelope, new.is_discarded) == (
            old.Data,
            old.envelope,
            old.is_discarded,
        )
        assert new.listener.trace_headers == old.listener.trace_headers
        assert new.outcome == old.outcome


def test_the_decision_holds() -> None:
    """Rule, options and version, and the entry that routes are matched with."""
    old = mail("v@b.example.com", b"", relay=True, rule="relay_to")
    (new,) = travelled([old])
    for name in ("relay", "accepted", "rule", "log_arf", "log_oob", "policy"):
        assert getattr(new.disposition, name) == getattr(old.disposition, name)
    found = new.disposition.found
    assert found is not None
    assert (found.key, found.section) == ("*.example.com", "0.0.0.0:25")
    assert found.options == ListenerDomain(
        relay_to=True, log_oob=ReportDisposition.LOG, log_arf=ReportDisposition.LOG
    )


def test_only_some_recipients() -> None:
    """Who failed is tried again, the others are not."""
    mails = [mail(f"{name}@b.example.com", b"") for name in "abc"]
    rest = Consignment.of("t1", mails).only({"id-b@b.example.com"})
    assert [each.To for each in rest.mails()] == ["b@b.example.com"]


@pytest.mark.parametrize(
    ("make", "kind"),
    [(make_letter, "mail"), (make_bounce, "bounces"), (make_complaint, "complaints")],
)
def test_kinds(make: Callable[[str], bytes], kind: str) -> None:
    """By what the rules make of it: where they log no reports it is mail."""
    content = make("x@y.example")
    ignoring = mail(
        "c@b.example.com",
        content,
        relay=True,
        log_oob=ReportDisposition.IGNORE,
        log_arf=ReportDisposition.IGNORE,
    )
    assert kind_of([ignoring]) == "mail"
    assert kind_of([ignoring, mail("v@b.example.com", content)]) == kind


def test_a_letter_and_what_is_left_of_it() -> None:
    """Recipients that wait keep their counts; of the others nothing is left."""
    queued = QueuedMail(
        id="m1",
        reverse_path="a@example.com",
        recipients=("b@Example.net", "c@example.net"),
        content=b"x",
        time=5.0,
    )
    letter = encoding.decode(encoding.encode(Letter.of(queued, may_be_known=True)), Letter)
    assert [(each.domain, each.duplicates) for each in letter.entries] == [("example.net", 1)] * 2
    claim = letter.claim(is_redelivered=True)
    assert [each.duplicates for each in claim.entries] == [2, 2]
    waits = Retry(EntryKey(0, 1), 9.0, 3, 2, "451 later")
    left = letter.after(Unit(retries=(waits,)))
    assert left is not None
    (entry,) = left.entries
    assert (entry.address, entry.attempts, entry.duplicates) == ("c@example.net", 3, 2)
    assert letter.after(Unit()) is None
    assert msgspec.structs.asdict(claim)["created"] == 5.0

"""From a report to its records: the keys, their values, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kumo_handlers.journal.record import Arrival, Record, RecordType, encode
from kumo_handlers.journal.reporting import records
from kumo_handlers.mail import address
from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.reports import cascade, classification
from kumo_handlers.reports.report import (
    DSN,
    Action,
    FeedbackReport,
    RecipientStatus,
    Source,
    Typed,
    Unreadable,
)

MESSAGES = Path(__file__).parent / "messages"
ARRIVAL = Arrival(
    id="a1",
    session=Session(id="s1", peer=Peer("192.0.2.25", 1025), client_name="mx.dest.example"),
    reverse_path=address.NULL,
    forward_path=address.parse("ret+42@bounce.sender.example"),
    size=1234,
    time=1_725_400_000.5,
)


def logged(report: DSN | FeedbackReport | Unreadable, content: bytes = b"") -> list[Any]:
    """The records of a report, as they stand in the log."""
    found = records(ARRIVAL, report, content, classification.default(), "a1.eml")
    return [msgspec.json.decode(encode(record)) for record in found]


def of_file(name: str) -> list[Any]:
    """The records of a message of ours."""
    content = (MESSAGES / name).read_bytes()
    report = cascade.read(content, reverse_path="")
    assert report is not None
    return logged(report, content)


def one(**fields: Any) -> Any:
    """The record of one failed recipient, about whom a report says ``fields``."""
    recipient = RecipientStatus(final_recipient=Typed("rfc822", "a@dest.example"), **fields)
    return logged(DSN(Source.RFC3464, (recipient,)))[0]


def test_one_record_for_each_failure() -> None:
    """Failed recipients, in their order; the one that was delivered to is none."""
    found = of_file("bounce.eml")
    assert [(each["type"], each["recipient"]) for each in found] == [
        ("OOB", "Ann.Lee@dest.example"),
        ("OOB", "bob@dest.example"),
    ]


def test_keys_of_kumomta() -> None:
    """Sender and recipient change sides; the peer is the reporting MTA."""
    found = of_file("bounce.eml")[0]
    assert found["sender"] == "ret+42@bounce.sender.example"
    assert found["peer_address"] == {"name": "mx.dest.example", "addr": "192.0.2.25"}
    assert found["response"] == {
        "code": 550,
        "enhanced_code": {"class": 5, "subject": 1, "detail": 1},
        "content": "5.1.1 <ann.lee@dest.example>: user unknown",
        "command": None,
    }
    assert found["size"] == 0
    assert found["timestamp"] == 1_725_357_599  # Last-Attempt-Date
    assert found["created"] == 1_725_400_000
    assert found["bounce_classification"] == "InvalidRecipient"
    assert found["queue"] == "bounce.sender.example"


def test_keys_of_ours() -> None:
    """What KumoMTA has no key for stands under ``report``."""
    found = of_file("bounce.eml")[0]["report"]
    assert found.pop("key")
    assert found == {
        "source": "rfc3464",
        "action": "failed",
        "remote_mta": "dns; store.dest.example",
        "diagnostic_code": "smtp; 550 5.1.1 <ann.lee@dest.example>: user unknown",
        "original_envelope_id": "env-7",
        "original_message_id": "<letter-7@sender.example>",
        "supplemental_trace": {"recipient": "Ann.Lee@dest.example", "campaign": "autumn"},
        "trace_trust": "unsigned",
        "permanence": "permanent",
        "inferred": [],
    }


@pytest.mark.parametrize(
    ("diagnostic", "code", "content"),
    [
        (Typed("smtp", "550 5.1.1 unknown"), 550, "5.1.1 unknown"),
        (Typed("smtp", "421"), 421, ""),
        (Typed("smtp", "no code here"), 550, "no code here"),
        (Typed("", "452 full"), 452, "full"),
        (Typed("x-unix", "452 full"), 550, ""),
        (None, 550, ""),
        (
            Typed("smtp", "550-5.1.1 No such user. 550-5.1.1 Try again, 550 5.1.1 bye"),
            550,
            "5.1.1 No such user. Try again, bye",
        ),
        (Typed("smtp", "421-busy 421-later 421 bye"), 421, "busy later bye"),
    ],
)
def test_response(diagnostic: Typed | None, code: int, content: str) -> None:
    """Code and text are the diagnostic's where it is a reply, else 550 and nothing."""
    found = one(diagnostic_code=diagnostic)["response"]
    assert (found["code"], found["content"]) == (code, content)


def test_without_last_attempt_the_time_is_now() -> None:
    """Now is when the report came in."""
    found = one()
    assert (found["timestamp"], found["event_time"]) == (1_725_400_000, 1_725_400_000.5)


def test_status_and_reply_disagree() -> None:
    """The response shows both as they were; permanence has settled it."""
    status = EnhancedStatusCode(4, 0, 0)
    found = one(status=status, diagnostic_code=Typed("smtp", "550 no"), reply_code=550)
    assert found["response"]["enhanced_code"]["class"] == 4
    assert found["report"]["permanence"] == "transient"


def test_same_recipient_twice_is_two_keys() -> None:
    """Two groups about one address are two records, not one that came again."""
    recipient = RecipientStatus(final_recipient=Typed("rfc822", "a@dest.example"))
    found = logged(DSN(Source.RFC3464, (recipient, recipient)))
    assert len({each["report"]["key"] for each in found}) == 2


def test_no_failure_is_a_reception() -> None:
    """A delayed message: who is waited for stands in the record, no OOB is written."""
    (found,) = of_file("delayed.eml")
    assert found["type"] == "Reception"
    assert found["recipient"] == "ret+42@bounce.sender.example"
    assert found["report"]["action"] == "delayed"
    assert found["report"]["recipients"] == [
        {"recipient": "ann.lee@dest.example", "action": "delayed", "status": "4.4.1"}
    ]


def test_unreadable_is_a_reception() -> None:
    """The reason, and the name of the kept file."""
    (found,) = logged(Unreadable("dsn", "no recipient"))
    assert found["type"] == "Reception"
    assert found["report"] == {"error": "no recipient", "claims": "dsn", "kept": "a1.eml"}


def test_feedback() -> None:
    """The envelope stays as it is; ``feedback_report`` has KumoMTA's keys and no other."""
    (found,) = of_file("complaint.eml")
    assert (found["type"], found["recipient"]) == ("Feedback", "ret+42@bounce.sender.example")
    report = found["feedback_report"]
    assert report.pop("original_message").startswith("Message-ID: <letter-7@sender.example>\n")
    assert report == {
        "feedback_type": "abuse",
        "user_agent": "Provider/1.0",
        "version": "1",
        "arrival_date": "2024-09-03T09:59:58Z",
        "incidents": 2,
        "original_envelope_id": None,
        "original_mail_from": "ret+42@bounce.sender.example",
        "reporting_mta": {"mta_type": "dns", "name": "mx.provider.example"},
        "source_ip": "198.51.100.7",
        "authentication_results": [],
        "original_rcpto_to": ["ann.lee@provider.example"],
        "reported_domain": ["sender.example"],
        "reported_uri": [],
        "extensions": {"x-extra": ["yes"]},
        "supplemental_trace": None,
    }
    assert found["report"]["complaint"] is True


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_the_innocent_are_told_apart(kind: str) -> None:
    """Nobody complained: a suppression handler can see that."""
    (found,) = logged(FeedbackReport(Source.RFC5965, kind))
    assert found["report"]["complaint"] is False


def test_bytes_that_are_no_text() -> None:
    """They become numbers, and stay on their line."""
    record = records(
        ARRIVAL,
        DSN(Source.RFC3464, (RecipientStatus(final_recipient=Typed("rfc822", "\udcff\n@x")),)),
        b"",
        classification.NO_RULES,
    )[0]
    line = encode(record)
    assert b"\n" not in line
    assert msgspec.json.decode(line)["recipient"] == [255, 10, 64, 120]


def test_every_action_is_logged() -> None:
    """No action goes without a record."""
    for action in Action:
        recipient = RecipientStatus(final_recipient=Typed("rfc822", "a@x"), action=action)
        found: tuple[Record, ...] = records(
            ARRIVAL, DSN(Source.RFC3464, (recipient,)), b"", classification.NO_RULES
        )
        expected = RecordType.OOB if action is Action.FAILED else RecordType.RECEPTION
        assert [each.type for each in found] == [expected]

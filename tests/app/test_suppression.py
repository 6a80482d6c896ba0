"""The example's suppression list: who bounced for good, who complained, each once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kumo_handlers.testing import Conversation, RecordingRelay, make_bounce, make_complaint

pytestmark = pytest.mark.usefixtures("relay")


def suppressed() -> list[tuple[str, str]]:
    """Address and reason, in their order."""
    if not Path("run/suppression.sqlite3").exists():
        return []
    with closing(sqlite3.connect("run/suppression.sqlite3")) as database:
        return list(database.execute("SELECT address, why FROM suppression ORDER BY rowid"))


def test_a_permanent_bounce() -> None:
    """The failed recipient, its case kept, with the class of the failure."""
    heard = Conversation().say(
        "v@bounce.example.com", make_bounce("Gone@nowhere.example"), sender=""
    )
    assert heard.reply.code == 250
    assert [record.type for record in heard.records] == ["OOB"]
    assert heard.relayed == ()
    assert suppressed() == [("Gone@nowhere.example", "bounce: InvalidRecipient")]


def test_a_transient_bounce() -> None:
    """It is logged, and nobody is suppressed for it."""
    bounce = make_bounce("full@nowhere.example", status="4.2.2", diagnostic="452 4.2.2 full")
    heard = Conversation().say("v@bounce.example.com", bounce, sender="")
    assert heard.records[0].report["permanence"] == "transient"
    assert suppressed() == []


@pytest.mark.parametrize("action", ["delayed", "delivered"])
def test_what_is_no_failure(action: str) -> None:
    """A notice that reports none suppresses nobody."""
    Conversation().say(
        "v@bounce.example.com", make_bounce("slow@nowhere.example", action=action), sender=""
    )
    assert suppressed() == []


@pytest.mark.parametrize(
    ("feedback_type", "expected"),
    [
        ("abuse", [("emil@provider.example", "complaint: abuse")]),
        ("not-spam", []),
        ("auth-failure", []),
    ],
)
def test_complaints(feedback_type: str, expected: list[tuple[str, str]]) -> None:
    """Who complained; other feedback is no complaint."""
    complaint = make_complaint("emil@provider.example", feedback_type=feedback_type)
    Conversation(sender="fbl@provider.example").say("complaints@fbl.example.com", complaint)
    assert suppressed() == expected


def test_the_same_report_twice() -> None:
    """A client that heard no reply sends again; it counts once."""
    bounce = make_bounce("gone@nowhere.example")
    talk = Conversation(sender="")
    talk.say("v@bounce.example.com", bounce)
    talk.say("v@bounce.example.com", bounce)
    assert len(suppressed()) == 1


def test_ordinary_mail(relay: RecordingRelay) -> None:
    """It is refused at the bounce address, and changes nothing."""
    heard = Conversation().say("v@bounce.example.com", b"Subject: hi\r\n\r\nhello\r\n")
    assert (heard.reply.code, str(heard.reply.status)) == (550, "5.7.1")
    assert suppressed() == []
    assert relay.sent == []

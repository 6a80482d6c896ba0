"""Amazon SES events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import sns
from kumo_handlers.reports.report import DSN, Action, FeedbackReport

MAIL = {
    "source": "news@sender.example",
    "sourceIp": "192.0.2.4",
    "messageId": "0100-1",
    "headers": [{"name": "Subject", "value": "May"}],
}


def read(event: object, *, wrapped: bool = False) -> DSN | FeedbackReport | None:
    """What an event says, bare or in SNS's envelope."""
    if wrapped:
        event = {"Type": "Notification", "Message": json.dumps(event)}
    return sns.read(mime.Message(json.dumps(event).encode()))


def bounce(**recipient: str) -> dict[str, Any]:
    """A bounce of one recipient."""
    detail = {"bounceType": "Transient", "bounceSubType": "MailboxFull"}
    detail["bouncedRecipients"] = [{"emailAddress": "ann@dest.example", **recipient}]  # type: ignore[assignment]
    return {"notificationType": "Bounce", "bounce": detail, "mail": MAIL}


@pytest.mark.parametrize("wrapped", [False, True])
def test_bounce(wrapped: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Status and diagnostic as the remote server gave them."""
    event = bounce(status="5.1.1", diagnosticCode="smtp; 550 5.1.1 unknown")
    report = read(event, wrapped=wrapped)
    assert isinstance(report, DSN)
    (status,) = report.recipients
    assert (status.recipient, str(status.status), status.reply_code) == (
        "ann@dest.example",
        "5.1.1",
        550,
    )
    assert status.inferred == ()
    assert report.returned.header("subject") == "May"


def test_status_from_the_subtype() -> None:
    """Without a status, SES's own word for it."""
    report = read(bounce())
    assert isinstance(report, DSN)
    assert str(report.recipients[0].status) == "4.2.2"
    assert report.recipients[0].inferred == ("status",)


def test_complaint() -> None:
    """A complaint is feedback."""
    detail = {"complainedRecipients": [{"emailAddress": "ann@dest.example"}]}
    report = read({"eventType": "Complaint", "complaint": detail, "mail": MAIL})
    assert isinstance(report, FeedbackReport)
    assert report.feedback_type == "abuse"
    assert report.original_rcpt_to == ("ann@dest.example",)
    assert report.inferred == ("feedback_type",)


def test_delivery_is_no_failure() -> None:
    """Nor is a delay."""
    event = {
        "eventType": "Delivery",
        "delivery": {"recipients": ["ann@dest.example"]},
        "mail": MAIL,
    }
    report = read(event)
    assert isinstance(report, DSN)
    assert report.recipients[0].action is Action.DELIVERED
    assert report.failures == ()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"{}",
        b'{"mail": 1, "notificationType": []}',
        b'{"Message": "{"}',
        b"[" * 5000,
        b"{" * 5000,
    ],
)
def test_other_json(content: bytes) -> None:
    """Any other JSON, and what is none, is somebody else's."""
    assert sns.read(mime.Message(content)) is None


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["notificationType", "bounce", "mail", "Message", "complaint"]),
        JSON | st.sampled_from(["Bounce", "Complaint", {"bouncedRecipients": [{}, 1, "a@b"]}]),
    )
)
def test_any_event_is_survived(event: dict[str, object]) -> None:
    """Keys of the right name with values of any kind."""
    report = read(event)
    assert report is None or isinstance(report, DSN | FeedbackReport)

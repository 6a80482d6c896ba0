"""Complaints that have no part with fields."""

from __future__ import annotations

import pytest

from kumo_handlers.reports import complaint, mime
from kumo_handlers.reports.report import FeedbackReport, Source

HOTMAIL = """\
From: staff@mail.example
Subject: complaint about message from %s
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: message/rfc822

%sFrom: news@sender.example
To: everybody@mail.example
Subject: news

--b--
"""


def read(source: str, fields: str = "") -> object:
    """The complaint about a message with those fields before its own."""
    return complaint.read(mime.Message((HOTMAIL % (source, fields)).encode()))


@pytest.mark.parametrize(
    ("source", "fields", "expected"),
    [
        ("192.0.2.1", "", ("192.0.2.1", (), None)),
        ("[192.0.2.1]", "", ("192.0.2.1", (), None)),
        ("2001:db8::1", "", ("2001:db8::1", (), None)),
        ("somewhere", "", (None, (), None)),
        ("", "X-HmXmrOriginalRecipient: <a@mail.example>\n", (None, ("a@mail.example",), None)),
        ("", "Return-Path: <b@sender.example>\n", (None, (), "b@sender.example")),
        ("", "Return-Path: <b@x.example>\nReturn-Path: <c@x.example>\n", (None, (), "b@x.example")),
    ],
)
def test_what_is_concluded(source: str, fields: str, expected: tuple[object, ...]) -> None:
    """The source from the subject, the addresses from the fields put into the message."""
    report = read(source, fields)
    assert isinstance(report, FeedbackReport)
    assert (report.source_ip, report.original_rcpt_to, report.original_mail_from) == expected
    assert (report.feedback_type, report.source) == ("abuse", Source.TOLERANT)
    assert "feedback_type" in report.inferred


def test_nobody_is_taken_for_the_recipient() -> None:
    """To is not evidence: it may name a list."""
    report = read("192.0.2.1")
    assert isinstance(report, FeedbackReport)
    assert report.original_rcpt_to == ()


def test_fields_in_text_are_no_conclusions() -> None:
    """What stands somewhere was read."""
    text = (
        "--b\n\nFeedback-Type: fraud\nSource-IP: 192.0.2.9\n--b\nContent-Type: message/rfc822\n\n"
    )
    content = (HOTMAIL % ("192.0.2.1", "")).replace(
        "--b\nContent-Type: message/rfc822\n\n", text, 1
    )
    report = complaint.read(mime.Message(content.encode()))
    assert report is not None
    assert (report.feedback_type, report.source_ip, report.inferred) == ("fraud", "192.0.2.9", ())


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream; name=report.txt"])
def test_fields_in_another_order_and_type(kind: str) -> None:
    """Feedback-Type need not come first, nor its part be declared as what it is."""
    part = f"--b\nContent-Type: {kind}\n\nUser-Agent: X/1\nFeedback-Type : abuse\n"
    content = (HOTMAIL % ("x", "")).replace("--b\n", f"{part}\n--b\n", 1)
    report = complaint.read(mime.Message(content.encode()))
    assert report is not None
    assert (report.user_agent, report.feedback_type, report.inferred) == ("X/1", "abuse", ())


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: complaint about message from 192.0.2.1\n\nNo message here.\n",
        (HOTMAIL % ("x", "")).replace("complaint about", "thanks for the").encode(),
    ],
)
def test_what_is_none(content: bytes) -> None:
    """Without a message complained about, or without saying so, it is no complaint."""
    assert complaint.read(mime.Message(content)) is None

"""Delivery-status fields in plain text."""

from __future__ import annotations

import pytest

from kumo_handlers.reports import mime, plain_fields
from kumo_handlers.reports.report import Source

HEADER = "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\n\n"
FIELDS = """\
Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ann@dest.example
Action: failed
Status: 5.1.1
"""


def read(text: str, header: str = HEADER) -> list[str] | None:
    """The recipients that are read in a text."""
    report = plain_fields.read(mime.Message((header + text).encode()))
    if report is None:
        return None
    assert report.source is Source.TEXT
    assert "the fields stand in text" in report.remarks
    return [f"{each.recipient} {each.action} {each.status}" for each in report.recipients]


@pytest.mark.parametrize(
    "text",
    [
        FIELDS,
        "What happened:\n\n" + FIELDS + "\nThank you.\n",
        FIELDS + "\n--boundary\nContent-Type: message/rfc822\n\nFinal-Recipient: rfc822; x@y.z\n",
        FIELDS + "\nReceived: from a\n\nFinal-Recipient: rfc822; x@y.z\nAction: failed\n",
        "Note: see below\n\n" + FIELDS,
        "Action: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; ann@dest.example\n",
        FIELDS.replace("\n\n", "\n"),
        FIELDS.replace("Recipient: ", "Recipient:=\n ").replace("5.1.1", "=35.1.1=20"),
        FIELDS.replace("ann@", "ann@=\n") + "X-Token: YQ=\n",
        FIELDS.replace("Action", "X-Token: YQ=\nAction"),
    ],
)
def test_read(text: str) -> None:
    """The block of fields, and nothing of the message behind it."""
    assert read(text) == ["ann@dest.example failed 5.1.1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "> " + FIELDS.replace("\n", "\n> "),
        "Final-Recipient: rfc822; ann@dest.example\n",
        "Final-Recipient: nobody\nAction: failed\n",
        "The Final-Recipient: is ann@dest.example\n",
    ],
)
def test_not_read(text: str) -> None:
    """Quoted, or incomplete, or prose."""
    assert read(text) is None


@pytest.mark.parametrize(
    "header",
    [
        "From: bob@x.example\nSubject: Re: Undelivered Mail\n\n",
        "From: bob@x.example\nSubject: Fwd: Undelivered Mail\n\n",
        "From: bob@x.example\nSubject: Undelivered Mail\nList-Id: <l.example>\n\n",
        "From: bob@x.example\nSubject: Lunch\n\n",
    ],
)
def test_people_are_not_believed(header: str) -> None:
    """They answer bounces, pass them on and discuss them."""
    assert read(FIELDS, header) is None


def test_the_returned_header_is_kept() -> None:
    """What stands behind the fields begins the returned message."""
    content = HEADER + FIELDS + "\nReturn-Path: <a@b.example>\nMessage-ID: <1@b.example>\n\nbody\n"
    report = plain_fields.read(mime.Message(content.encode()))
    assert report is not None
    assert report.returned.header("message-id") == "<1@b.example>"

"""Our own reading."""

from __future__ import annotations

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import text
from kumo_handlers.reports.report import DSN, Source, Unreadable

HEADER = b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n"


def test_read() -> None:
    """The returned header fields come along, for the trace."""
    report = text.read(
        mime.Message(
            HEADER + b"It could not be delivered:\n\n<ann@dest.example>: 550 5.1.1 unknown\n\n"
            b"--- Original message ---\nX-Campaign: 7\nTo: decoy@other.example\n\nbody\n"
        )
    )
    assert isinstance(report, DSN)
    assert report.source is Source.TEXT
    assert [each.recipient for each in report.recipients] == ["ann@dest.example"]
    assert report.returned.header("x-campaign") == "7"


def test_no_recipient() -> None:
    """It is a bounce; nobody can tell whose."""
    report = text.read(mime.Message(HEADER + b"Your message could not be delivered.\n"))
    assert isinstance(report, Unreadable)


def test_no_bounce() -> None:
    """What is not believed is not read."""
    assert (
        text.read(mime.Message(b"From: a@b.example\nSubject: x\n\nnot delivered: c@d.example"))
        is None
    )

"""Invariant: any bytes are a report, honest about how it was read, or none; CRLF is LF.

What is a report has records, and every record can be written.
"""

from __future__ import annotations

from pathlib import Path

import engine

from kumo_handlers.journal import parsing
from kumo_handlers.journal.record import encode
from kumo_handlers.reports import cascade
from kumo_handlers.reports.report import DSN, FeedbackReport, Report, Source, Unreadable

MESSAGES = Path(__file__).parent.parent / "tests" / "reports"
SEEDS = [path.read_bytes() for path in sorted(MESSAGES.glob("**/messages/**/*.eml"))]
WORDS = [
    *(b"\n", b"\n\n", b"\r\n", b"\r", b" ", b"\t", b":", b";", b"<", b">", b'"', b"\0", b"\xff"),
    *(b"--=_b1\n", b"--=_b1--\n", b"--b\n\n", b"boundary=b;", b"=?utf-8?q?a=40b?=", b"=3D", b"=\n"),
    *(b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", b"%s" * 9),
    *(b"Content-Type: message/delivery-status\n\n", b"Content-Type: message/feedback-report\n\n"),
    *(b"Content-Type: message/rfc822\n\n", b"Content-Transfer-Encoding: base64\n", b"charset=x"),
    *(b"Content-Transfer-Encoding: quoted-printable\n", b"Return-Path: <>\n", b"{", b"Z" * 300),
    *(b"Reporting-MTA: dns; mx.example\n", b"Original-Recipient: rfc822; a@b.example\n", b"(" * 50),
    *(b"Final-Recipient: rfc822; a@b.example\n", b"Action: failed\n", b"Status: 5.1.1\n", b"> "),
    *(b"Diagnostic-Code: smtp; 550 5.1.1 no\n", b"Arrival-Date: 1 Jan 2024 00:00:00 +0000\n"),
    *(b"Feedback-Type: abuse\n", b"Original-Rcpt-To: <a@b.example>\n", b"Incidents: 9\n", b"\n "),
    *(b"Subject: Undelivered Mail Returned to Sender\n", b"X-Failed-Recipients: a@b.example\n"),
    *(
        b"From: MAILER-DAEMON\n",
        b"Subject: complaint about message from 192.0.2.1\n",
        b"550 5.1.1 ",
    ),
]
CLASSES = (2, 4, 5)


def target(octets: bytes) -> None:
    """One message, with either line end, from nobody and from somebody."""
    report = cascade.read(octets)
    check(report)
    check(cascade.read(octets, reverse_path=""))
    check(cascade.read(octets, reverse_path="a@b.example"))
    for each in parsing.read(octets):
        engine.require(encode(each).startswith(b"{"))
    if b"\r" not in octets and b"\n" in octets:
        other = cascade.read(octets.replace(b"\n", b"\r\n"))
        # Prose may depend on it: a stateful charset starts anew at the end of a line.
        engine.require(is_prose(report) or is_prose(other) or shown(report) == shown(other))


def is_prose(report: Report | None) -> bool:
    """Whether it was read out of a text."""
    return isinstance(report, DSN) and not report.source.is_standard


def check(report: Report | None) -> None:
    """What is true of every report."""
    match report:
        case None:
            return
        case Unreadable():
            engine.require(report.reason and report.claims in ("dsn", "feedback"))
        case FeedbackReport():
            engine.require(report.feedback_type)
            engine.require(bool(report.remarks) == (report.source is not Source.RFC5965))
        case DSN():
            engine.require(any(each.recipient for each in report.recipients))
            engine.require(report.source is not Source.RFC3464 or not report.remarks)
            engine.require(report.source is not Source.TOLERANT or report.remarks)
            statuses = [each.status for each in report.recipients]
            engine.require(all(status is None or status.class_ in CLASSES for status in statuses))


def shown(report: Report | None) -> object:
    """What must not depend on line ends."""
    if isinstance(report, DSN):
        return [(each.recipient, each.action, each.status) for each in report.recipients]
    if isinstance(report, FeedbackReport):
        return (report.feedback_type, report.original_rcpt_to, report.source_ip)
    return report


if __name__ == "__main__":
    engine.main(target, SEEDS, WORDS)

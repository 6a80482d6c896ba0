"""Delivery status notifications: each departure from RFC 3464 that is met in the world."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kumo_handlers.reports import cascade, dsn, mime
from kumo_handlers.reports.report import DSN, Action, RecipientStatus, Source

MESSAGES = Path(__file__).parent / "messages"
FRAME = b"""\
From: MAILER-DAEMON@mx.sender.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

%s
--b--
"""


class Section(NamedTuple):
    """One body, and what is to be read in it."""

    title: str
    source: str
    recipients: list[str]
    body: str


def sections() -> list[Section]:
    """The bodies in the data file."""
    text = (MESSAGES / "delivery_status.txt").read_text("utf-8")
    found = re.findall(r"^=== (.+)\n> ([\w-]+): (.+)\n((?:(?!=== ).*\n)*)", text, re.MULTILINE)
    return [Section(title, source, who.split(", "), body) for title, source, who, body in found]


def shown(recipient: RecipientStatus, pattern: str) -> str:
    """A recipient as the data file has it; the reply code only where that asks for it."""
    text = f"{recipient.recipient} {recipient.action.value} {recipient.status}"
    has_code = re.search(r" (\d{3}|-)$", pattern)
    return f"{text} {recipient.reply_code or '-'}" if has_code else text


def read(content: bytes, line_end: bytes = b"\n") -> DSN:
    """The DSN, with the line ends that are wanted."""
    report = cascade.read(content.replace(b"\n", line_end))
    assert isinstance(report, DSN)
    return report


def report_of(body: str) -> DSN:
    """The DSN with that delivery-status body."""
    return read(FRAME % body.encode())


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.title)
def test_fields(section: Section, line_end: bytes) -> None:
    """Recipients, actions, statuses and the honest source, whatever the line ends."""
    report = read(FRAME % section.body.encode(), line_end)
    patterns = [*section.recipients, *[""] * len(report.recipients)]
    got = [shown(each, pattern) for each, pattern in zip(report.recipients, patterns, strict=False)]
    assert got == section.recipients
    assert report.source == section.source
    assert bool(report.remarks) == (report.source is Source.TOLERANT)


def test_structure(dsn_case: tuple[str, dict[str, Any]], line_end: bytes) -> None:
    """The report is found wherever it stands, and only there."""
    name, expected = dsn_case
    content = (MESSAGES / "dsn" / f"{name}.eml").read_bytes().replace(b"\n", line_end)
    report = cascade.read(content)
    if expected["source"] == "none":
        assert report is None
        return
    assert isinstance(report, DSN)
    assert report.source == expected["source"]
    assert [shown(each, "") for each in report.recipients] == expected["recipients"]
    if "original_message_id" in expected:
        assert report.returned.header("message-id") == expected["original_message_id"]


def test_bytes_that_are_not_utf8_are_kept() -> None:
    """They are surrogate escapes, so that the record can show them."""
    content = (MESSAGES / "dsn" / "raw_bytes.eml").read_bytes()
    (recipient,) = read(content).recipients
    assert recipient.diagnostic_code is not None
    assert recipient.diagnostic_code.value.encode("utf-8", "surrogateescape").endswith(b" \xfc")


def test_every_field_is_read() -> None:
    """The whole of RFC 3464, 2.2 and 2.3, and extensions beside it."""
    section = next(each for each in sections() if each.title.startswith("two recipients"))
    report = report_of(section.body)
    first, second = report.recipients
    assert report.original_envelope_id == "env-1"
    assert str(report.reporting_mta) == "dns; mx.sender.example"
    assert str(report.dsn_gateway) == "dns; gw.example"
    assert str(report.received_from_mta) == "dns; client.example"
    assert report.arrival_date == 1719820800.0
    assert report.extensions == {"x-queue": ["4711"]}
    assert str(first.original_recipient) == "rfc822; ann@dest.example"
    assert str(first.final_recipient) == "rfc822; ann.b@inner.example"
    assert str(first.remote_mta) == "dns; mx.dest.example"
    assert str(first.diagnostic_code) == "smtp; 550 5.1.1 no such user"
    assert first.reply_code == 550
    assert first.last_attempt_date == 1719820807.0
    assert first.final_log_id == "log-1"
    assert second.will_retry_until == 1719993600.0
    assert second.inferred == ()


def test_what_was_concluded_is_named() -> None:
    """Status and Action out of the diagnostic are marked as such."""
    report = report_of(
        "Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; ann@dest.example\n"
        "Diagnostic-Code: smtp; 552 5.2.2 full\n"
    )
    assert report.recipients[0].inferred == ("status", "action")
    assert set(report.remarks) == {"no Status", "no Action"}


def test_a_bad_date_costs_only_itself() -> None:
    """The field is dropped, and the remark says so."""
    section = next(each for each in sections() if each.title == "dates that are none")
    report = report_of(section.body)
    assert report.arrival_date is None
    assert report.recipients[0].last_attempt_date is None
    assert [remark for remark in report.remarks if "is no date" in remark] == list(report.remarks)


def test_only_failures_fail() -> None:
    """A delayed recipient in a standard report is none of its failures."""
    section = next(each for each in sections() if each.title.startswith("two recipients"))
    report = report_of(section.body)
    assert [each.action for each in report.failures] == [Action.FAILED]


def test_many_recipients_are_bounded() -> None:
    """What stands behind the limit is not read, and that is said."""
    one = "\nFinal-Recipient: rfc822; ann@dest.example\nAction: failed\nStatus: 5.1.1\n"
    report = report_of("Reporting-MTA: dns; a.example\n" + one * 10_000)
    assert 6000 < len(report.recipients) < 10_000
    assert f"the report was read up to {dsn.MAX_BODY} bytes" in report.remarks


def test_ordinary_mail_is_refused() -> None:
    """A message without report parts is not for this stage."""
    assert dsn.read(mime.Message(b"Subject: hello\n\nFinal-Recipient: rfc822; a@b.c\n")) is None

"""Feedback reports in all their shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kumo_handlers.reports import arf, cascade, mime
from kumo_handlers.reports.report import FeedbackReport, Source

MESSAGES = Path(__file__).parent / "messages" / "arf"


def read(name: str, line_end: bytes = b"\n") -> FeedbackReport:
    """The report in a message of the folder."""
    content = (MESSAGES / f"{name}.eml").read_bytes().replace(b"\n", line_end)
    report = cascade.read(content)
    assert isinstance(report, FeedbackReport)
    return report


def plain(value: object) -> object:
    """A value as TOML can hold it."""
    return sorted(value) if isinstance(value, tuple) else value


def test_report(arf_case: tuple[str, dict[str, Any]], line_end: bytes) -> None:
    """Every field that the file of expectations names, whatever the line ends."""
    name, expected = arf_case[0], dict(arf_case[1])
    report = read(name, line_end)
    assert report.source == expected.pop("source")
    assert bool(report.remarks) == (report.source is Source.TOLERANT)
    message_id = expected.pop("original_message_id", None)
    assert message_id in (None, report.returned.header("Message-ID"))
    for field in expected.pop("absent", ()):
        assert getattr(report, field) is None
    for field, value in expected.items():
        assert plain(getattr(report, field)) == (
            sorted(value) if isinstance(value, list) else value
        )


@pytest.mark.parametrize(
    ("name", "complains"),
    [("minimal", True), ("opt_out_redacted", True), ("not_spam", False), ("auth_failure", False)],
)
def test_only_complaints_are_complaints(name: str, *, complains: bool) -> None:
    """Nobody is punished for a report that mail was wanted, or that a signature failed."""
    assert read(name).is_complaint is complains


def test_the_message_is_kept() -> None:
    """The message complained about is in the report, with LF line ends."""
    original = read("full", b"\r\n").original_message
    assert original is not None
    assert original.startswith("From: News <news@sender.example>\nTo: ann@dest.example\n")
    assert original.rstrip().endswith("Here they are.")


def test_concluded_fields_are_named() -> None:
    """Hotmail writes no field; each that was found elsewhere is said to be."""
    report = read("hotmail")
    assert set(report.inferred) == {
        *("feedback_type", "source_ip", "original_rcpt_to", "original_mail_from")
    }


def test_ordinary_mail_is_refused() -> None:
    """A message without report parts is not for this stage."""
    assert arf.read(mime.Message(b"Subject: hello\n\nFeedback-Type: abuse\n")) is None

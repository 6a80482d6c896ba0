"""Which stage, whether at all, and never an exception."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumo_handlers.reports import cascade, trace
from kumo_handlers.reports.report import DSN, FeedbackReport, TraceTrust, Unreadable

MESSAGES = Path(__file__).parent / "messages"
STANDARD = (MESSAGES / "dsn" / "standard.eml").read_bytes()
SAMPLES = [path.read_bytes() for path in sorted(MESSAGES.glob("*/*.eml"))]


def test_ordinary_mail_is_no_report(ordinary_case: Path, line_end: bytes) -> None:
    """Forwarded, quoted, discussed or merely automatic: none of it is a bounce."""
    assert cascade.read(ordinary_case.read_bytes().replace(b"\n", line_end)) is None


def test_unreadable_is_said(unreadable_case: tuple[str, str], line_end: bytes) -> None:
    """What claims to be a report and cannot be read is not passed off as ordinary mail."""
    name, claims = unreadable_case
    content = (MESSAGES / "unreadable" / f"{name}.eml").read_bytes().replace(b"\n", line_end)
    report = cascade.read(content)
    assert isinstance(report, Unreadable)
    assert report.claims == claims
    assert report.reason


def test_the_envelope_decides_over_the_header() -> None:
    """A reverse-path that is known to be somebody's makes no claim (RFC 5321, 4.5.5)."""
    content = (MESSAGES / "unreadable" / "null_path_and_a_subject.eml").read_bytes()
    content = content.replace(b"Mail Delivery System <MAILER-DAEMON@", b"Bob <bob@")
    assert isinstance(cascade.read(content, reverse_path=""), Unreadable)
    assert cascade.read(content, reverse_path="bob@sender.example") is None


def test_a_complaint_comes_before_a_bounce() -> None:
    """As in KumoMTA: a complaint about a bounce is a complaint."""
    content = (MESSAGES / "arf" / "a_bounce_complained_about.eml").read_bytes()
    assert isinstance(cascade.read(content), FeedbackReport)


def test_the_stage_is_named() -> None:
    """Explanations say which stage read the message."""
    name, report = cascade.read_by(STANDARD)
    assert name == "delivery-status part"
    assert isinstance(report, DSN)
    assert cascade.read_by(b"Subject: Lunch\n\n") == ("", None)


@pytest.mark.parametrize("line_width", [72, 998])
def test_the_trace_is_found(line_width: int) -> None:
    """The header that we wrote comes back in a bounce, folded or not."""
    keys = trace.Keys.read({"k1": "sixteen bytes or more"})
    value = trace.make("ann@dest.example", {"campaign": "july"}, keys, now=1000.0)
    field = value if line_width < 100 else "".join(value.split())
    content = STANDARD.replace(b"From: News", f"X-KumoRef: {field}\r\nFrom: News".encode())
    report = cascade.read(content, keys=keys, now=1001.0)
    assert isinstance(report, DSN)
    assert report.returned.trace == {"recipient": "ann@dest.example", "campaign": "july"}
    assert report.returned.trace_trust is TraceTrust.SIGNED


def test_a_million_parts_take_no_time_and_no_memory() -> None:
    """25 MB of tiny parts: a bounded number of them is looked at."""
    part = b"--b\nContent-Type: a/b\n\nx"
    head = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    content = head + (part + b"\n") * 1_000_000
    tracemalloc.start()
    started = time.process_time()
    report = cascade.read(content)
    took = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(report, Unreadable)
    assert took < 1.0
    assert peak < 10_000_000


HOSTILE = {
    "nested": b"Content-Type: multipart/report; boundary=b\n\n"
    + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 50_000,
    "deep": b"".join(
        b"Content-Type: multipart/report; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(20_000)
    ),
    "empty containers": b"Content-Type: multipart/report; boundary=b\n\n"
    + b"--b\nContent-Type: multipart/mixed\n\n" * 100_000,
    "delimiters without header": b"Content-Type: multipart/report; boundary=b\n\n"
    + b"--b\n" * 500_000,
    "nearly delimiters": b"Content-Type: multipart/report; boundary=b\n\n" + b"--bb\n" * 500_000,
    "one long line": b"Subject: failure notice\nReturn-Path: <>\n\n" + b"a" * 3_000_000,
    "a header of one line": b"Subject:" + b" a" * 1_500_000,
    "a header of blanks": b"Subject:" + b" " * 1_500_000 + b"x\nA: b\n\n",
    "a header that never ends": b"Return-Path: <>\nSubject: failure\n" + b"A: b\n" * 400_000,
    "folds": b"Subject: failure" + b"\n a" * 500_000 + b"\n\n",
    "parameters": b"Content-Type: multipart/report" + b"; a*0=b" * 300_000 + b"\n\n",
    "sections": b"Content-Type: multipart/report"
    + b"".join(b"; a*%d=b" % (i % 100) for i in range(30_000))
    + b"\n\n",
    "a type and blanks": b"Content-Type: multipart/report" + b" " * 250_000 + b"x\n\n",
    "a boundary and blanks": b"Content-Type: multipart/report; boundary"
    + b" " * 250_000
    + b"x\n\n",
    "quotes": b'Content-Type: multipart/report; boundary="' + b'\\"' * 500_000 + b"\n\n",
    "empty lines": b"\n" * 3_000_000,
    "CRs": b"\r" * 3_000_000,
    "LF CR CR": b"\n" + b"\r" * 3_000_000,
    "CRs behind CR CR LF": b"Subject: failure notice\r\r\n\r\r\n" + b"\r" * 3_000_000 + b"x",
    "dashes": b"Content-Type: multipart/report; boundary=b\n\n\n" + b"--" * 30_000 + b"\n",
    "all of it encoded": b"Content-Type: multipart/report; boundary=b\n"
    b"Content-Transfer-Encoding: base64\n\n" + b"Ci0tYgot" * 400_000,
}
BODY = b"Content-Type: message/delivery-status\nFrom: MAILER-DAEMON\n\nReporting-MTA: dns; a\n\n"
HOSTILE |= {
    f"fields of {name}": BODY + b"Final-Recipient: rfc822; a@b.example\n" + text
    for name, text in {
        "blanks": b"Diagnostic-Code: smtp; 5" + b" " * 400_000 + b"x\n",
        "brackets": b"Original-Recipient: rfc822;" + b"<" * 400_000 + b"\n",
        "comments": b"Original-Recipient: rfc822; a" + b"(" * 400_000 + b"\n",
        "comments and blanks": b"Original-Recipient: rfc822; a" + b" " * 400_000 + b"(\n",
        "routes": b"Original-Recipient: rfc822; " + b"@a," * 100_000 + b"\n",
        "encoded words": b"Original-Recipient: rfc822; " + b"=?a?b?" * 80_000 + b"\n",
        "statuses": b"Diagnostic-Code: smtp; " + b"5.1.1." * 80_000 + b"\n",
        "dots": b"Status: " + b"5." * 200_000 + b"\n",
        "colons": b"a:" * 200_000 + b"\n",
        "names": b"a" * 400_000 + b"\n",
        "junk": b"*\n" * 200_000,
        "recipients": b"Final-Recipient: a\n" * 25_000,
        "actions and recipients": b"Action: failed\nFinal-Recipient: a\n" * 15_000,
        "addresses apart": b"\nFinal-Recipient: a\n\nOriginal-Recipient: b\n" * 10_000,
        "types": b"Original-Recipient: rfc822; " + b"rfc822 " * 60_000 + b"\n",
        "words": b"Action: " + b"a " * 200_000 + b"\n",
        "NULs": b"\0" * 400_000 + b"\n",
        "continuations": b"Status: 5\n" + b" a\n" * 120_000,
        "dates": b"Last-Attempt-Date: " + b"1 Jan " * 80_000 + b"\n",
        "one repeated": b"Status: x%d\n" * 40_000,
        "different ones repeated": b"".join(b"Status: %d\n" % i for i in range(30_000)),
    }.items()
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_content_is_no_slower(content: bytes) -> None:
    """Nobody can stall the listener with one message."""
    started = time.process_time()
    cascade.read(content, reverse_path="")
    assert time.process_time() - started < 2.0


@given(st.binary(max_size=2000))
def test_any_bytes(content: bytes) -> None:
    """No content raises."""
    cascade.read(content)
    cascade.read(content, reverse_path="")


LINES = sorted({line for sample in SAMPLES for line in sample.split(b"\n")})


@settings(max_examples=300)
@given(st.lists(st.sampled_from(LINES), max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_lines_of_reports(lines: list[bytes], line_end: bytes) -> None:
    """No mixture of the lines of reports raises."""
    cascade.read(line_end.join(lines), reverse_path="")


@settings(max_examples=300)
@given(st.sampled_from(SAMPLES), st.data())
def test_any_truncation(sample: bytes, data: st.DataObject) -> None:
    """A message may end, or be damaged, at any byte."""
    at = data.draw(st.integers(0, len(sample)))
    cascade.read(sample[:at])
    cascade.read(sample[:at] + data.draw(st.binary(max_size=4)) + sample[at + 1 :])


@given(st.sampled_from(SAMPLES))
def test_reading_is_pure(sample: bytes) -> None:
    """The same content gives the same report."""
    assert cascade.read(sample) == cascade.read(sample)

"""Scrubbed messages: they read as before, and nothing private is left in them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import ReportError
from kumo_handlers.journal import parsing
from kumo_handlers.reports import cascade, scrubbing
from kumo_handlers.reports.pseudonyms import ROLES
from kumo_handlers.reports.report import DSN
from kumo_handlers.reports.scrubbing import Scrubber

if TYPE_CHECKING:
    from kumo_handlers.journal.record import Record

TESTS = Path(__file__).parents[1]
SAMPLES = sorted(
    [
        *(TESTS / "journal" / "messages").glob("*.eml"),
        *(TESTS / "reports" / "messages").glob("*.eml"),
        *(TESTS / "reports" / "nonstandard" / "messages").glob("*.eml"),
    ]
)
BOUNCE = (TESTS / "journal" / "messages" / "bounce.eml").read_bytes()
_ADDRESS = re.compile(rb"([\w.+-]+)@[\w-]+\.[\w.-]+")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_reads_the_same(path: Path) -> None:
    """What is read from a scrubbed sample is what is read from it, names aside."""
    content = path.read_bytes()
    scrubbed = scrubbing.scrub(content)
    before, after = parsing.read(content, now=0), parsing.read(scrubbed, now=0)
    assert [_kept(each) for each in after] == [_kept(each) for each in before]
    names = [(old.recipient, new.recipient) for old, new in zip(before, after, strict=True)]
    # The same by the same, and different by different.
    assert len({old.lower() for old, _ in names}) == len({new.lower() for _, new in names})
    assert len(set(names)) == len({new for _, new in names})


def _kept(record: Record) -> tuple[object, ...]:
    """What a record says about no person and no host."""
    report = record.report if isinstance(record.report, dict) else {}
    told = [report.get(name) for name in ("source", "action", "permanence", "inferred", "claims")]
    feedback = record.feedback_report or {}
    kind = feedback.get("feedback_type"), feedback.get("incidents"), feedback.get("version")
    response = record.response
    return record.type, response.code, response.enhanced_code, record.timestamp, told, kind


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_no_address_is_left(path: Path) -> None:
    """No local part that is no role is found at any address again."""
    content = path.read_bytes()
    scrubbed = Scrubber(content, cascade.read(content)).scrubbed()
    before = {found.lower() for found in _ADDRESS.findall(content)}
    left = before & {found.lower() for found in _ADDRESS.findall(scrubbed)}
    assert {each.decode() for each in left} <= ROLES


@pytest.mark.parametrize(
    "private",
    [b"Ann", b"Lee", b"Quill", b"autumn", b"hush", b"this is private", b"sender.example", b"bob"],
)
def test_nothing_private_is_left(private: bytes) -> None:
    """Neither people, nor hosts, nor the text of the returned message, nor its subject."""
    scrubbed = scrubbing.scrub(BOUNCE)
    assert private not in scrubbed
    trace = re.search(rb"X-KumoRef: (\S+)", scrubbed)
    assert trace is not None
    # Metadata is the sender's own; whom it was sent to is not.
    assert b"Ann" not in base64.b64decode(trace[1])


def test_same_by_the_same() -> None:
    """Final-Recipient, diagnostic and the returned message still agree."""
    report = cascade.read(scrubbing.scrub(BOUNCE))
    assert isinstance(report, DSN)
    first = report.failures[0]
    assert first.diagnostic_code is not None
    assert f"<{first.recipient}>" in first.diagnostic_code.value
    assert first.recipient is not None
    assert first.recipient in (report.returned.header("to") or "")
    assert report.returned.trace is not None
    assert report.returned.trace["recipient"] == first.recipient


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_encoded_parts(encoding: str) -> None:
    """Nothing hides in a transfer encoding."""
    body = b"<ann@dest.example>: user unknown\n"
    coded = base64.encodebytes(body) if encoding == "base64" else body.replace(b"@", b"=40")
    content = (
        b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.dest.example\n"
        b"Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain\nContent-Transfer-Encoding: " + encoding.encode() + b"\n\n"
    )
    content += coded
    scrubbed = scrubbing.scrub(content)
    assert coded not in scrubbed
    report = cascade.read(scrubbed)
    assert isinstance(report, DSN)
    assert (report.failures[0].recipient or "").startswith("user")


@given(st.binary(max_size=200), st.integers(0, len(BOUNCE)), st.integers(0, 300))
def test_any_bytes(noise: bytes, at: int, length: int) -> None:
    """A damaged message is scrubbed, or refused with a reason."""
    damaged = BOUNCE[:at] + noise + BOUNCE[at + length :]
    try:
        assert isinstance(scrubbing.scrub(damaged), bytes)
    except ReportError as error:
        assert str(error)  # noqa: PT017 - both ways are good

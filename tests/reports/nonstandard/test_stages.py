"""Whole messages: what each of the data files says, and what no message may do."""

from __future__ import annotations

import json
import os
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import stages
from kumo_handlers.reports.report import DSN, FeedbackReport, Source, Unreadable

HERE = Path(__file__).parent
MESSAGES = HERE / "messages"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((MESSAGES / "expected.toml").read_text())
BOUNCES = sorted(name for name, said in EXPECTED.items() if said["recipients"])
ORDINARY = sorted(name for name, said in EXPECTED.items() if not said["recipients"])

CORPUS = Path(os.environ.get("KUMO_HANDLERS_CORPUS", HERE.parents[2].parent / "shared" / "corpus"))

NOTICE = (
    b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\n"
    b"To: a@sender.example\n\nYour message could not be delivered to these recipients:\n\n"
)


def content_of(name: str, line_end: bytes = b"\n") -> bytes:
    """One of the data files, with the line ends wanted."""
    return (MESSAGES / f"{name}.eml").read_bytes().replace(b"\n", line_end)


def test_every_message_is_expected() -> None:
    """A data file without an expectation tests nothing."""
    assert {path.stem for path in MESSAGES.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("name", BOUNCES)
def test_bounce_is_read(name: str, line_end: bytes) -> None:
    """Recipients, their status, and whether it is a failure at all."""
    report = stages.read(mime.Message(content_of(name, line_end)))
    assert isinstance(report, DSN)
    said = {each.recipient: str(each.status) for each in report.recipients}
    assert said == EXPECTED[name]["recipients"]
    assert {str(each.action) for each in report.recipients} == {EXPECTED[name]["action"]}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_mail_is_no_bounce(name: str) -> None:
    """Absences, forwards, discussions, receipts, reports: nothing is said, not even a doubt."""
    assert stages.read(mime.Message(content_of(name))) is None


@pytest.mark.parametrize(
    ("name", "source"),
    [("exim", Source.X_FAILED_RECIPIENTS), ("qmail", Source.FLUFL), ("german", Source.TEXT)],
)
def test_source_names_the_stage(name: str, source: Source) -> None:
    """The most certain stage that can read a message does."""
    report = stages.read(mime.Message(content_of(name)))
    assert isinstance(report, DSN)
    assert report.source is source


def test_inferred_fields_are_named() -> None:
    """What stood nowhere is said to be concluded; what stood there is not."""
    read = stages.read(mime.Message(content_of("sendmail")))
    assert isinstance(read, DSN)
    assert all("status" not in each.inferred for each in read.recipients)
    concluded = stages.read(mime.Message(content_of("last-resort")))
    assert isinstance(concluded, DSN)
    assert concluded.recipients[0].inferred == ("final_recipient", "action", "status")
    assert concluded.remarks


def test_envelope_makes_the_difference() -> None:
    """The null reverse-path of the envelope counts as the field does."""
    content = (
        b"From: Gateway <relay@mx.example>\nSubject: failed\n\n"
        b"550 5.1.1 <ann@dest.example>: user unknown, could not be delivered\n"
    )
    assert stages.read(mime.Message(content, reverse_path="x@mx.example")) is None
    assert isinstance(stages.read(mime.Message(content, reverse_path="")), DSN)


def test_bounce_without_recipient_is_kept() -> None:
    """A notice that names nobody is unreadable, with the reason, and not ordinary mail."""
    report = stages.read(mime.Message(NOTICE))
    assert isinstance(report, Unreadable)
    assert report.claims == "dsn"


@given(st.binary(max_size=2000))
def test_any_body_is_survived(body: bytes) -> None:
    """Behind a convincing header, any bytes give a report or the reason why not."""
    report = stages.read(mime.Message(NOTICE + body))
    assert report is None or isinstance(report, DSN | Unreadable)


@given(st.binary(max_size=2000))
def test_any_content_is_survived(content: bytes) -> None:
    """Any bytes at all give an answer."""
    report = stages.read(mime.Message(content))
    assert report is None or isinstance(report, DSN | FeedbackReport | Unreadable)


@given(st.sampled_from(BOUNCES), st.data())
def test_damaged_bounce_is_survived(name: str, data: st.DataObject) -> None:
    """A notice cut off anywhere, with a byte changed anywhere, gives an answer."""
    content = bytearray(content_of(name))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    stages.read(mime.Message(bytes(content[: data.draw(st.integers(0, len(content)))])))


@pytest.mark.parametrize(
    "body",
    [
        b"a",
        b"@",
        b"<",
        b" ",
        b"\n",
        b"a@",
        b"<br",
        b"<style",
        b"<!--",
        b"<a",
        b'"a ',
        b"To: ",
        b"> ",
    ],
)
@pytest.mark.parametrize("kind", [b"text/plain", b"text/html"])
def test_hostile_body_is_quick(body: bytes, kind: bytes) -> None:
    """A megabyte of anything takes no longer than a notice does, give or take."""
    message = mime.Message(b"Content-Type: " + kind + b"\n" + NOTICE + body * (10**6 // len(body)))
    start = time.process_time()
    stages.read(message)
    assert time.process_time() - start < 1


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus stands beside the repository")
def test_corpus() -> None:
    """Ordinary mail is never a bounce; of the non-standard bounces nearly all are understood."""
    entries = [json.loads(line) for line in (CORPUS / "manifest.jsonl").read_text().splitlines()]
    understood, wanted = 0, 0
    for entry in entries:
        content = (CORPUS / "corpus" / entry["file"]).read_bytes()
        if entry["kind"] == "notbounce":
            assert stages.read(mime.Message(content)) is None
        elif entry["kind"] == "nonstandard" and entry["subkind"] == "free-text":
            wanted += 1
            understood += isinstance(stages.read(mime.Message(content)), DSN)
    assert understood >= 0.97 * wanted

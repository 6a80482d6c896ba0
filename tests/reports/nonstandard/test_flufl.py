"""flufl.bounce, and what is believed of it."""

from __future__ import annotations

import flufl.bounce
import pytest

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import flufl as stage
from kumo_handlers.reports.report import Source

CONTENT = (
    b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: news@sender.example\n"
    b"Subject: failure notice\n\nIt could not be delivered:\n\n<ann@dest.example>:\nunknown user\n"
)


def answer(monkeypatch: pytest.MonkeyPatch, *found: bytes) -> None:
    """Let the library answer this."""
    monkeypatch.setattr(flufl.bounce, "all_failures", lambda _: (frozenset(), frozenset(found)))


def test_answer_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address, and the status that stands beside."""
    answer(monkeypatch, b"ann@dest.example")
    dsn = stage.read(mime.Message(CONTENT))
    assert dsn is not None
    assert dsn.source is Source.FLUFL
    assert [(each.recipient, str(each.status)) for each in dsn.recipients] == [
        ("ann@dest.example", "5.1.1")
    ]


@pytest.mark.parametrize(
    "found",
    [
        (b"bob@dest.example",),
        (b"news@sender.example",),
        (b"ann@dest.example", b"x"),
        (b"\xff",),
        (),
    ],
)
def test_implausible_answer_is_not(monkeypatch: pytest.MonkeyPatch, found: tuple[bytes]) -> None:
    """An address that the notice does not name, or that got it, or that is none."""
    answer(monkeypatch, *found)
    report = stage.read(mime.Message(CONTENT))
    assert report is None or [each.recipient for each in report.recipients] == ["ann@dest.example"]


def test_failure_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its detectors raise on odd mail."""

    def fail(_: object) -> None:
        raise KeyError

    monkeypatch.setattr(flufl.bounce, "all_failures", fail)
    assert stage.read(mime.Message(CONTENT)) is None


def test_ordinary_mail_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would cost tens of milliseconds."""
    monkeypatch.setattr(flufl.bounce, "all_failures", lambda _: pytest.fail("was asked"))
    assert stage.read(mime.Message(b"From: ann@dest.example\nSubject: Lunch\n\nAt one?\n")) is None


def test_returned_message_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sees what stands before the returned message, and no line that no notice has."""
    seen: list[str] = []

    def look(message: object) -> tuple[frozenset[bytes], frozenset[bytes]]:
        seen.append(str(message))
        return frozenset(), frozenset()

    monkeypatch.setattr(flufl.bounce, "all_failures", look)
    stage.read(
        mime.Message(
            CONTENT.replace(b"\n\n", b"\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n", 1)
            + b"<" * 5000
            + b"\n--b\nContent-Type: message/rfc822\n\nTo: decoy@other.example\n--b--\n"
        )
    )
    assert "ann@dest.example" in seen[0]
    assert "decoy" not in seen[0]
    assert "<<<<" not in seen[0]

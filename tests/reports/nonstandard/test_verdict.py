"""Reply, status and diagnostic of one recipient."""

from __future__ import annotations

import pytest

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import recipients, verdict
from kumo_handlers.reports.nonstandard.notice import Notice
from kumo_handlers.reports.report import Action, RecipientStatus

HEADER = "From: MAILER-DAEMON@mx.example\nTo: <news@sender.example>\nSubject: failed\n\n"


def on(text: str) -> list[RecipientStatus]:
    """The verdict on each recipient of a notice."""
    notice = Notice(mime.Message((HEADER + "It could not be delivered:\n\n" + text).encode()))
    found = recipients.find(notice)
    return [verdict.on(notice, each, found, Action.FAILED) for each in found]


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("said: 550 5.1.1 no", 550, "5.1.1"),
        ("said: 550-5.7.26 no", 550, "5.7.26"),
        ("said: 450 450 4.2.2 no", 450, "4.2.2"),
        ("Sorry, no mailbox here by that name. (#5.1.1)", None, "5.1.1"),
        ("#550 5.2.2 mailbox full ##", 550, "5.2.2"),
        ("said: 552 Quota exceeded", 552, "5.2.2"),
        ("host mx.dest.example [192.0.2.5]: user unknown", None, "5.1.1"),
        ("version 4.94.2 said so", None, "5.0.0"),
        ("ResponseCode 421, , Host not reachable", 421, "4.4.1"),
        ("552 Message size exceeds\n554 5.0.0 Service unavailable", 554, "5.3.4"),
    ],
)
def test_codes(text: str, code: int | None, status: str) -> None:
    """Codes where there are any, words where there are none; a version or an IP is no code."""
    (read,) = on(f"<ann@dest.example>:\n  {text}\n")
    assert str(read.status) == status
    if code is None or "Message size" not in text:
        assert read.reply_code == code


def test_each_recipient_has_its_own() -> None:
    """The lines up to the next recipient are about this one."""
    first, second = on(
        "<ann@dest.example>:\n550 5.1.1 unknown\n\n<bob@dest.example>:\n452 4.2.2 full\n"
    )
    assert (first.reply_code, str(first.status)) == (550, "5.1.1")
    assert (second.reply_code, str(second.status)) == (452, "4.2.2")


def test_diagnostic_keeps_the_words() -> None:
    """What the remote server said is handed on as text."""
    (read,) = on("<ann@dest.example>:\nRemote host said: 550 5.1.1 who is\nthat?\n")
    assert read.diagnostic_code is not None
    assert "who is that?" in read.diagnostic_code.value


def test_what_is_concluded_is_named() -> None:
    """A status that was written is not inferred; one that was not is."""
    assert on("<ann@dest.example>: 550 5.1.1 unknown")[0].inferred == ("action",)
    assert "status" in on("<ann@dest.example>: user unknown")[0].inferred


def test_success_in_the_words_of_failure() -> None:
    """A report of success names the recipient in the same way."""
    assert on("<ann@dest.example>: delivery via mx: 250 2.0.0 Ok")[0].action is Action.DELIVERED

"""The reply inside a diagnostic, and the line that is classified."""

from __future__ import annotations

import pytest

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports import diagnostic
from kumo_handlers.reports.report import RecipientStatus, Typed


@pytest.mark.parametrize(
    ("kind", "value", "line"),
    [
        ("smtp", "550 5.1.1 unknown", "550 5.1.1 unknown"),
        ("smtp", "550 unknown", "550 5.1.1 unknown"),
        ("smtp", "550 #5.1.1 unknown", "550 5.1.1 unknown"),
        ("smtp", "550-5.1.1 un- 550 5.1.1 known", "550 5.1.1 un- known"),
        ("smtp", "550 two\n  lines", "550 5.1.1 two lines"),
        ("x-unix", "mailbox full", "550 5.1.1 mailbox full"),
        ("x-unix", "452 4.2.2 full", "550 5.1.1 full"),
    ],
)
def test_classified_text(kind: str, value: str, line: str) -> None:
    """Code, status and words, each once: what rules are written for."""
    status = EnhancedStatusCode(5, 1, 1)
    recipient = RecipientStatus(status=status, diagnostic_code=Typed(kind, value))
    code, text = diagnostic.reply(recipient)
    assert diagnostic.classified_text(code, status, recipient, text) == line


def test_without_a_status() -> None:
    """The reply code, and the words as they are."""
    recipient = RecipientStatus(diagnostic_code=Typed("smtp", "452 4.2.2 full"))
    code, text = diagnostic.reply(recipient)
    assert diagnostic.classified_text(code, None, recipient, text) == "452 4.2.2 full"


def test_what_was_read_elsewhere_is_used() -> None:
    """A code that stands in the prose is the code, where no diagnostic has one."""
    assert diagnostic.reply(RecipientStatus(reply_code=421)) == (421, "")
    told = RecipientStatus(reply_code=421, diagnostic_code=Typed("smtp", "host said: later"))
    assert diagnostic.reply(told) == (421, "host said: later")

"""The page: what a person is told about a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from kumo_handlers.journal.explanation import explain
from kumo_handlers.reports import classification

MESSAGES = Path(__file__).parent / "messages"


def page(name: str) -> str:
    """The page of a message of ours, runs of blanks as one."""
    text = explain((MESSAGES / f"{name}.eml").read_bytes(), classification.default())
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "bounce",
            [
                "delivery-status part yes",
                "a bounce, read from fields as RFC 3464 has them (rfc3464)",
                "original_recipient rfc822; Ann.Lee@dest.example",
                "permanence permanent: the address or its domain does not exist, or moved",
                "permanence transient: the mailbox or the system is full",
                "permanence no failure: the message was delivered or passed on",
                "message-id <letter-7@sender.example>",
            ],
        ),
        (
            "complaint",
            [
                "feedback-report part yes",
                "a complaint, read from fields as RFC 5965 has them (rfc5965)",
                "incidents 2",
                "kept, not used x-extra: yes",
                "Feedback",
            ],
        ),
        ("delayed", ["permanence transient: the reporting MTA is still trying", "none"]),
        ("unreadable", ["not understood", "claims to be dsn"]),
        ("letter", ["feedback-report part no", "neither a bounce nor a complaint"]),
    ],
)
def test_page(name: str, lines: list[str]) -> None:
    """Stages, fields, conclusions and what is logged stand on the page, line by line."""
    shown = page(name).splitlines()
    assert [line for line in lines if line not in shown] == []


def test_what_was_inferred_is_said() -> None:
    """A field that stood nowhere is marked."""
    content = (
        (MESSAGES / "bounce.eml").read_bytes().replace(b"Action: failed\nStatus: 5.1.1\n", b"")
    )
    assert "(inferred)" in explain(content, classification.NO_RULES)


def test_nothing_moves_the_cursor() -> None:
    """Control characters of a stranger do not reach the terminal."""
    content = (MESSAGES / "bounce.eml").read_bytes().replace(b"env-7", b"\x1b[2J\xff")
    assert all(
        line.isprintable() for line in explain(content, classification.NO_RULES).splitlines()
    )

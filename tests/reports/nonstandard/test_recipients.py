"""The ways in which notices name whom they did not reach."""

from __future__ import annotations

import pytest

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import recipients
from kumo_handlers.reports.nonstandard.notice import Notice

HEADER = "From: MAILER-DAEMON@mx.example\nTo: <news@sender.example>\nSubject: {}\n\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Your message to ann@dest.example could not\nbe delivered.", ["ann@dest.example"]),
        ("Could not be delivered to:\n\n ann@dest.example\n bob@dest.example", ["ann", "bob"]),
        ("Not delivered to: ann@dest.example, bob@dest.example", ["ann", "bob"]),
        ("It could not be delivered:\n\n * <ann@dest.example> (full)\n", ["ann"]),
        ("It could not be delivered:\n\n1. ann@dest.example\n2. bob@dest.example", ["ann", "bob"]),
        ("It failed.\nFailed recipient: ann@dest.example", ["ann"]),
        (
            "It failed.\nRecipient Address: ann@dest.example\nSender Address: c@dest.example",
            ["ann"],
        ),
        ("It was rejected.\n550 5.1.1 <ann@dest.example>... User unknown", ["ann"]),
        (">>> RCPT TO:<ann@dest.example>\n<<< 550 unknown", ["ann"]),
        ("No directory entry matches the user ann (ann@dest.example), unknown", ["ann"]),
        ("c=US;a= ;p=Corp;dda:SMTP=ann@dest.example; on Monday", ["ann"]),
        ("Sorry news@sender.example, we never heard of ann@dest.example", ["ann"]),
        (
            "It failed:\n\n<ann@dest.example>: full\n\nPlease contact\nhelp-desk@isp.example",
            ["ann"],
        ),
        (
            "It could not be delivered. Please contact postmaster@isp.example\n\nann@dest.example",
            ["ann"],
        ),
        ("It could not be delivered to:\n\n support@dest.example\n  unknown", ["support"]),
        ("Mail from c@x.example to ann@dest.example was not delivered to it.", ["ann"]),
        ("Message <1.2@x.example> to ann@dest.example could not be delivered.", ["ann"]),
        ("Your mail to\n ann@dest.example\ncould not be delivered.", ["ann"]),
        ("It was not delivered:\n\nSender:\nc@x.example\nRecipient:\nann@dest.example", ["ann"]),
        (
            "Not delivered to:\n\nann@dest.example\n\nIt was delivered to:\n\nc@dest.example",
            ["ann"],
        ),
        (">>> RCPT TO:<c@x.example>\n<<< 250 ok\n>>> RCPT TO:<ann@dest.example>", ["ann"]),
        ("Mail was not delivered to ann@dest.example. Did you mean c@dest.example?", ["ann"]),
        ("It was not delivered to support@dest.example", ["support"]),
    ],
)
def test_named(text: str, named: list[str]) -> None:
    """Each way, and none of the addresses that stand beside."""
    found = recipients.find(Notice(mime.Message((HEADER.format("x") + text).encode())))
    full = [name if "@" in name else f"{name}@dest.example" for name in named]
    assert [each.address for each in found] == full


def test_subject_is_asked_before_the_returned_message() -> None:
    """What the notice itself says comes first, wherever it says it."""
    text = HEADER.format("Undeliverable: ann@dest.example") + "It could not be delivered\n"
    found = recipients.find(Notice(mime.Message(text.encode())))
    assert [each.address for each in found] == ["ann@dest.example"]
    assert found[0].remark


def test_last_resort_is_remarked() -> None:
    """The header of the returned message is asked last, and that is said."""
    text = (
        HEADER.format("x") + "It could not be delivered\n\n--- Original message ---\n"
        "From: news@sender.example\nTo: Ann <ann@dest.example>\n\nbody"
    )
    found = recipients.find(Notice(mime.Message(text.encode())))
    assert [(each.address, each.line) for each in found] == [("ann@dest.example", -1)]
    assert "returned message" in found[0].remark


def test_nobody() -> None:
    """A notice that names only its reader and its writer names nobody."""
    text = HEADER.format("x") + "It failed, news@sender.example. Yours, MAILER-DAEMON@mx.example\n"
    assert recipients.find(Notice(mime.Message(text.encode()))) == []

"""Recorded traffic decided again: real records of a real listener, and other rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.pipeline.impact import Change, Impact
from kumo_handlers.policy import tables
from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Any]

RULES: dict[str, Any] = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "fbl.example.com": {"log_arf": "LogThenRelay"},
    "send.example.com": {"relay_from": ["127.0.0.0/8"]},
}
BOUNCE = make_bounce("gone@nowhere.example")
TRAFFIC = (
    ("ann@elsewhere.example", "bob@example.com", make_letter("bob@example.com")),
    ("ann@elsewhere.example", "carl@nowhere.example", b""),
    ("", "token@bounce.example.com", BOUNCE),
    ("", "delayed@bounce.example.com", BOUNCE.replace(b"Action: failed", b"Action: delayed")),
    ("ann@elsewhere.example", "letter@bounce.example.com", make_letter("x@bounce.example.com")),
    ("fbl@provider.example", "fbl@fbl.example.com", make_complaint("emil@provider.example")),
    ("news@send.example.com", "dora@nowhere.example", make_letter("dora@nowhere.example")),
)


@pytest.fixture
def records(start: Start) -> list[bytes]:
    """The lines of the log after some traffic."""
    app = start(RULES)
    for sender, recipient, content in TRAFFIC:
        app.send(sender, recipient, content)
    app.receiver.stop()
    return [json.dumps(each).encode() for each in app.records()]


def changes(records: list[bytes], rules: dict[str, Any]) -> list[Change]:
    """What would change."""
    impact = Impact(tables.load([rules]))
    for line in records:
        impact.take(line)
    assert impact.unreadable == 0
    assert len(impact.mails) == len(TRAFFIC)
    found: dict[tuple[str, ...], Change] = {}
    for mail in impact.mails:
        impact.compare(mail, found)
    return list(found.values())


def test_each_change_is_found(records: list[bytes]) -> None:
    """From what to what, by which entry, and for whom; nothing where nothing changes."""
    cases: list[tuple[dict[str, Any], tuple[str, str, str, str]]] = [
        ({"example.com": {}}, ("relayed", "refused", '["example.com"]', "bob@example.com")),
        (
            {"nowhere.example": {"log_oob": True}},
            (
                "refused",
                "refused after DATA",
                'log_oob of ["nowhere.example"]',
                "carl@nowhere.example",
            ),
        ),
        (
            {"bounce.example.com": {"log_oob": "LogThenRelay"}},
            ("logged", "logged and relayed", "log_oob of", "token@bounce.example.com"),
        ),
        (
            {"fbl.example.com": {"log_arf": True}},
            ("logged and relayed", "logged", "log_arf of", "fbl@fbl.example.com"),
        ),
        (
            {"fbl.example.com": {"relay_to": True}},
            ("logged and relayed", "relayed", "relay_to of", "fbl@fbl.example.com"),
        ),
        (
            {"send.example.com": {"relay_from": ["10.0.0.0/8"]}},
            ("relayed", "refused", "no entry for the recipient's domain", "dora@nowhere.example"),
        ),
    ]
    assert changes(records, RULES) == []
    for rules, (before, after, reason, recipient) in cases:
        (change,) = changes(records, RULES | rules)
        assert (change.before, change.after) == (before, after)
        assert change.reason.startswith(reason)
        assert [mail.recipient for mail in change.mails] == [recipient]


def test_mails_are_grouped(records: list[bytes]) -> None:
    """What goes the same way for the same reason is one group."""
    refused, *_ = changes(records, RULES | {"bounce.example.com": {"relay_to": False}})
    assert (refused.kind, refused.before, refused.after) == ("bounce", "logged", "refused")
    assert len(refused.mails) == 2


def test_what_the_app_refused_is_not_the_policys(start: Start) -> None:
    """A handler's own refusal would be the same under any policy."""
    handler = """
        from salmon.routing import route
        from salmon.server import SMTPError

        @route(".+")
        def START(message, **captures):
            raise SMTPError(550, "no")
    """
    app = start(RULES, inbound=handler)
    app.send("ann@elsewhere.example", "bob@example.com", make_letter("bob@example.com"))
    app.receiver.stop()
    impact = Impact(tables.load([{}]))
    for record in app.records():
        impact.take(json.dumps(record).encode())
    assert impact.mails == ()


def test_what_a_script_refused_is_not_asked_again() -> None:
    """The log does not hold all that a script may ask for."""
    impact = Impact(tables.load([{}]))
    impact.take(
        b'{"type": "Rejection", "id": "1", "sender": "a@b.c", "recipient": "d@e.f",'
        b' "meta": {"rule": "relay_to", "reason": "an event of the policy"}}'
    )
    assert impact.mails == ()


def test_what_cannot_be_read_is_counted() -> None:
    """A torn line, and a record whose addresses are not text."""
    impact = Impact(tables.load([{}]))
    impact.take(b'{"type": "Reception", "id"')
    impact.take(b'{"type": "Delivery", "id": "1", "sender": "a@b.c", "recipient": "d@e.f"}')
    impact.take(b'{"type": "Reception", "id": "1", "sender": [97, 255], "recipient": "d@e.f"}')
    (mail,) = impact.mails
    impact.compare(mail, {})
    assert impact.unreadable == 2

"""A conversation gives what the listener would: replies, records, mail to relay."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from salmon.routing import Router

import kumo_handlers
from kumo_handlers import boot
from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import installation
from kumo_handlers.testing import (
    Conversation,
    RecordingRelay,
    make_bounce,
    make_complaint,
    make_letter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "fbl.example.com": {"log_arf": True},
    "vip.example.com": {"relay_from_authz": ["ann"]},
    "listener": {"127.0.0.1:2026": {"example.com": {"relay_to": False}}},
}


@pytest.fixture(autouse=True)
def app(tmp_path: Path) -> Iterator[Any]:
    """Our handlers, two listeners, and one for LMTP."""
    settings = SimpleNamespace(
        listener_domains=[RULES],
        listeners=[
            {"listen": "127.0.0.1:2025", "relay_hosts": ["192.0.2.0/24"]},
            {"listen": "127.0.0.1:2026", "relay_hosts": []},
            {"listen": "127.0.0.1:2027", "relay_hosts": [], "protocol": "lmtp"},
        ],
        run_dir=str(tmp_path / "run"),
        relay=None,
    )
    before = (dict(Router.REGISTERED), list(Router.ORDER), dict(Router.HANDLERS))
    Router.clear_routes()
    Router.HANDLERS.clear()
    boot.configure(settings)
    for name in kumo_handlers.pipeline():
        if name in sys.modules:
            importlib.reload(sys.modules[name])
    Router.load(kumo_handlers.pipeline())
    yield settings
    installation.forget()
    Router.clear_routes()
    Router.REGISTERED.update(before[0])
    Router.ORDER.extend(before[1])
    Router.HANDLERS.clear()
    Router.HANDLERS.update(before[2])


def test_mail_is_relayed() -> None:
    """The reply, the record, and the mail with its envelope."""
    heard = Conversation().say("bob@example.com", make_letter("bob@example.com"))
    assert heard.reply.code == 250
    assert [record.type for record in heard.records] == ["Reception"]
    assert heard.records[0].peer_address.addr == "203.0.113.9"
    assert heard.records[0].peer_address.name == "client.example"
    (mail,) = heard.relayed
    assert (mail.reverse_path, mail.recipients) == ("ann@elsewhere.example", ("bob@example.com",))


def test_nothing_is_written(tmp_path: Path) -> None:
    """No log, no queue."""
    Conversation().say("bob@example.com", make_letter("bob@example.com"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({}, 550),
        ({"peer": "192.0.2.1"}, 250),
        ({"sender": "x@vip.example.com"}, 550),
        ({"sender": "x@vip.example.com", "authz_id": "ann"}, 250),
    ],
)
def test_who_asks_decides(who: dict[str, str], code: int) -> None:
    """Peer, sender and identity are those that were said."""
    heard = Conversation(**who).say("far@elsewhere.example", make_letter("far@elsewhere.example"))
    assert heard.reply.code == code
    assert [record.type for record in heard.records] == [
        "Reception" if code == 250 else "Rejection"
    ]


def test_the_listener_decides() -> None:
    """Its own section of the rules holds."""
    talk = Conversation(listener="127.0.0.1:2026")
    assert talk.say("bob@example.com", make_letter("bob@example.com")).reply.code == 550


def test_some_recipients_are_refused() -> None:
    """The others get the message, and each refusal is told and logged."""
    heard = Conversation().say(
        ["bob@example.com", "far@elsewhere.example"], make_letter("b@x.example")
    )
    assert heard.reply.code == 250
    assert list(heard.refused) == ["far@elsewhere.example"]
    assert sorted(record.type for record in heard.records) == ["Reception", "Rejection"]


def test_reports() -> None:
    """Bounces and complaints that were made for an address."""
    talk = Conversation(sender="")
    bounce = talk.say("v@bounce.example.com", make_bounce("gone@nowhere.example"))
    assert bounce.records[0].recipient == "gone@nowhere.example"
    complaint = talk.say("x@fbl.example.com", make_complaint("emil@provider.example"))
    assert complaint.records[0].feedback_report["original_rcpto_to"] == ("emil@provider.example",)


def test_what_is_not_understood_is_kept() -> None:
    """It is there to be looked at."""
    broken = (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: message/delivery-status\r\n\r\nnothing\r\n--x--\r\n"
    )
    heard = Conversation(sender="").say("v@bounce.example.com", broken)
    assert [each.content for each in heard.kept] == [broken]


def test_lmtp_answers_each() -> None:
    """One reply a recipient (RFC 2033, 4.2)."""
    talk = Conversation(listener="127.0.0.1:2027")
    heard = talk.say(["a@example.com", "v@bounce.example.com"], make_letter("a@example.com"))
    assert [reply.code for reply in heard.replies] == [250, 550]


@pytest.mark.parametrize("wrong", [{"peer": "here"}, {"listener": "127.0.0.1:9"}])
def test_mistakes(wrong: dict[str, str]) -> None:
    """What is no address, and where nothing listens, is said at once."""
    with pytest.raises(ConfigurationError):
        Conversation(**wrong)


def test_two_conversations_share_nothing() -> None:
    """What one hears is not the other's."""
    one, other = Conversation(), Conversation(peer="192.0.2.1")
    one.begin()
    one.say("bob@example.com", make_letter("bob@example.com"))
    assert len(other.say("bob@example.com", make_letter("bob@example.com")).records) == 1


def test_recording_relay() -> None:
    """What an app sends by itself is kept."""
    relay = RecordingRelay()
    relay.send("a@example.com", "b@example.com", "Hello", "How are you?")
    assert [message["subject"] for message in relay.sent] == ["Hello"]

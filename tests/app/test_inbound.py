"""The example's answer to hello@example.com."""

from __future__ import annotations

from kumo_handlers.testing import Conversation, RecordingRelay, make_bounce, make_letter


def test_a_letter_is_answered_and_relayed(relay: RecordingRelay) -> None:
    """The answer goes to the envelope's sender; the letter goes on, byte for byte."""
    letter = make_letter("hello@example.com")
    heard = Conversation().say("hello@example.com", letter)
    assert heard.reply.code == 250
    (mail,) = heard.relayed
    assert mail.content.endswith(letter)
    (answer,) = relay.sent
    assert (answer["to"], answer["from"]) == ("ann@elsewhere.example", "hello@example.com")
    assert answer["subject"] == "Re: A letter"


def test_machines_get_no_answer(relay: RecordingRelay) -> None:
    """Neither a bounce, whose sender is null, nor another machine's answer (RFC 3834, 2)."""
    talk = Conversation()
    bounce = make_bounce("gone@nowhere.example")
    assert talk.say("hello@any.example.com", bounce, sender="").reply.code == 250
    automatic = b"Auto-Submitted: auto-replied\r\n" + make_letter("hello@example.com")
    assert talk.say("hello@example.com", automatic).reply.code == 250
    assert relay.sent == []


def test_only_hello_is_answered(relay: RecordingRelay) -> None:
    """Other mail is relayed, and that is all."""
    assert len(Conversation().say("bob@example.com", make_letter("bob@example.com")).relayed) == 1
    assert relay.sent == []

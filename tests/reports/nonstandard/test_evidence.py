"""Signs for and against."""

from __future__ import annotations

import pytest

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import evidence, heading
from kumo_handlers.reports.nonstandard.notice import Notice

SAID = "\n\nYour message could not be delivered:\n\n<ann@dest.example>: 550 5.1.1 user unknown\n"


def message(header: str, text: str = SAID) -> mime.Message:
    """A message with that header."""
    return mime.Message((header + text).encode())


def is_believed(found: mime.Message) -> bool:
    """The whole judgement, in the order in which the stages ask."""
    return evidence.is_worth_reading(found) and evidence.is_believed(found, Notice(found))


@pytest.mark.parametrize(
    "header",
    [
        "From: MAILER-DAEMON@mx.example\nSubject: hello",
        "From: Mail Delivery System <x@mx.example>\nSubject: [list] hello\nList-Id: <l.example>",
        "From: Mail_Delivery_Subsystem@mx.example\nSubject: hello",
        "From: postmaster@mx.example\nSubject: Undeliverable: Re: hello",
        "From: postmaster@mx.example\nSubject: Undeliverable: Out of office",
        "Return-Path: <>\nFrom: relay@mx.example\nSubject: Mail delivery failed",
        "From: x@mx.example\nSubject: hello\nContent-Type: multipart/report; boundary=b",
        "From: no-reply@mx.example\nSubject: Delivery failure",
        "Subject: Returned mail",
    ],
)
def test_mail_systems_are_believed(header: str) -> None:
    """Each combination of signs that mail systems really give."""
    assert is_believed(message(header))


@pytest.mark.parametrize(
    "header",
    [
        "From: Ann <ann@dest.example>\nSubject: hello",
        "From: Ann <ann@gmail.com>\nSubject: Re: Mail delivery failed\nIn-Reply-To: <1@x>",
        "From: Ann <ann@dest.example>\nSubject: Fwd: failure notice\nX-Mailer: Apple Mail (2.1)",
        "Return-Path: <>\nFrom: Ann <ann@dest.example>\nSubject: Out of office: hello",
        "Return-Path: <>\nFrom: Ann <ann@dest.example>\nSubject: Abwesenheitsnotiz",
        "From: postmaster@dest.example\nSubject: Re: mail\nIn-Reply-To: <1@x>\nUser-Agent: Mutt/1",
        "From: x-bounces@lists.example\nSubject: Bounce action notification",
        "From: no-reply@shop.example\nSubject: Your order\nList-Unsubscribe: <https://x>",
    ],
)
def test_people_are_not(header: str) -> None:
    """The same text from people, lists and vacation programs is ordinary mail."""
    assert not is_believed(message(header))


def test_asking_text_speaks_against() -> None:
    """A challenge has a null reverse-path, and says that the message was not delivered."""
    challenge = "\n\nYour message was not delivered yet. Please confirm that you are a person.\n"
    header = "Return-Path: <>\nAuto-Submitted: auto-replied\nFrom: Ann <ann@dest.example>"
    assert not is_believed(message(header, challenge))


@pytest.mark.parametrize("sign", [*evidence.FOR, *evidence.AGAINST], ids=lambda sign: sign.name)
def test_an_ordinary_heading_shows_no_sign(sign: evidence.Sign) -> None:
    """None of the signs stands for a letter between people."""
    ordinary = heading.of(message("From: Ann <ann@dest.example>\nSubject: Lunch tomorrow"))
    assert not sign.stands(ordinary)


@pytest.mark.parametrize(
    "header",
    [
        "From: Ann <ann@gmail.com>\nSubject: Lunch",
        "From: Ann <ann@mail.example>\nSubject: Minutes",
        "Return-Path: <ann@dest.example>\nFrom: ann@dest.example\nSubject: Photos",
    ],
)
def test_ordinary_mail_is_told_quickly(header: str) -> None:
    """Neither decoding nor weighing is needed for it."""
    assert heading.is_ordinary(message(header))


def test_quick_refusal_agrees_with_the_weights() -> None:
    """Who is refused quickly would not have been worth reading either."""
    senders = ["MAILER-DAEMON@x.example", "postmaster@x.example", "ndr@x.example", "a@x.example"]
    subjects = ["failure notice", "Undeliverable: x", "Nicht zugestellt", "Lunch", "非送達"]
    for sender in senders:
        for subject in subjects:
            found = message(f"From: {sender}\nSubject: {subject}")
            worth = evidence.weigh_header(heading.of(found)) >= evidence.WORTH_READING
            assert evidence.is_worth_reading(found) == worth


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("Your message could not be delivered.", 3),
        ("If a message could not be delivered, write to us.", 0),
        ("Falls eine Nachricht nicht zugestellt wird, schreiben Sie.", 0),
        ("We are sorry. If you can: your message could not be delivered.", 3),
    ],
)
def test_condition_is_no_announcement(text: str, points: int) -> None:
    """What may happen has not happened yet."""
    notice = Notice(mime.Message(b"From: a@b.example\n\n" + text.encode()))
    assert evidence.weigh_text(notice) == points

"""The queue as a person sees and changes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError
from kumo_handlers.queue import inspection
from kumo_handlers.queue.inspection import Choice
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.queue.queued_mail import QueuedMail

    from .conftest import House, Post
    from .scripted_relay import ScriptedRelay

ALL = Choice(everything=True)


@pytest.fixture
def filled(house: House, mail: Callable[..., QueuedMail]) -> House:
    """Two messages, three recipients, and a running app."""
    recipients = ("a@one.example", "b@Two.example")
    mails = (mail(id="first", recipients=recipients), mail(id="second", content=b"x\r\n"))
    house.open().commit_blocking(Unit(mails=mails))
    return house


def states(house: House) -> list[tuple[str, str]]:
    """Each recipient and its state."""
    return [(each.recipient, each.state) for each in inspection.waiting(house.run_dir, ALL)]


def test_read_beside_a_running_app(filled: House) -> None:
    """What waits, the oldest first, and the messages whole."""
    found = inspection.waiting(filled.run_dir, ALL)
    assert [(each.id, each.recipient, each.size) for each in found] == [
        ("first", "a@one.example", 20),
        ("first", "b@Two.example", 20),
        ("second", "b@example.net", 3),
    ]
    assert inspection.summary(filled.run_dir) == {"queued": 3}
    [message] = inspection.whole(filled.run_dir, "second")
    assert message.content == b"x\r\n"
    assert inspection.whole(filled.run_dir, "third") == []


def test_damaged_rows(filled: House) -> None:
    """One message of which little can be read hides none, and can be rescued and dropped."""
    filled.change("UPDATE message SET facts = x'7b22ff' WHERE id = 'first'")
    filled.change(
        "UPDATE recipient SET domain = CAST(x'ff' AS TEXT), response = CAST(x'ff' AS TEXT)"
    )
    filled.change("UPDATE recipient SET address = 'c@x.example', attempts = 'none', due = 'soon'")
    filled.change("UPDATE message SET reverse_path = 'c@x.example', created = 'yesterday'")
    assert len(states(filled)) == 3
    assert [message.facts for message in inspection.whole(filled.run_dir, "first")] == [Facts()]
    assert inspection.drop(filled.run_dir, Choice(("first",))) == 2


def test_read_without_an_app(filled: House) -> None:
    """A queue that nobody has open is read as well."""
    filled.close()
    assert len(inspection.waiting(filled.run_dir, ALL)) == 3
    assert len(inspection.waiting(filled.run_dir, ALL, 2)) == 2


def test_no_queue(house: House) -> None:
    """Looking makes none."""
    with pytest.raises(StorageError, match="there is no queue"):
        inspection.waiting(house.run_dir, ALL)
    assert not house.run_dir.exists()


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (Choice(("first",)), {"a@one.example", "b@Two.example"}),
        (Choice(domains=("TWO.example",)), {"b@Two.example"}),
        (Choice(("second",), ("one.example",)), {"a@one.example", "b@example.net"}),
        (ALL, {"a@one.example", "b@Two.example", "b@example.net"}),
        (Choice(("'; DROP TABLE message",)), set()),
    ],
)
def test_choosing(filled: House, choice: Choice, chosen: set[str]) -> None:
    """By message, by domain in any case, or all of it: to list and to change."""
    found = inspection.waiting(filled.run_dir, choice)
    assert {each.recipient for each in found} == chosen
    assert inspection.hold(filled.run_dir, choice) == len(chosen)
    held = {recipient for recipient, state in states(filled) if state == "held"}
    assert held == chosen


def test_recipients_with_ids_of_their_own(house: House, mail: Callable[..., QueuedMail]) -> None:
    """Where several share a message, each is found and changed by its own id."""
    recipients = ("a@one.example", "b@one.example")
    shared = mail(id="a", recipients=recipients, facts=Facts(ids=("a", "b")))
    house.open().commit_blocking(Unit(mails=(shared, mail(id="c"))))
    run_dir = house.run_dir
    assert [each.id for each in inspection.waiting(run_dir, ALL)] == ["a", "b", "c"]
    (second,) = inspection.waiting(run_dir, Choice(("b",)))
    assert (second.id, second.recipient) == ("b", "b@one.example")
    assert inspection.hold(run_dir, Choice(("b", "c"))) == 2
    assert [state for _, state in states(house)] == ["queued", "held", "held"]
    for name in ("a", "b"):
        (message,) = inspection.whole(run_dir, name)
        assert (message.id, message.content) == (name, shared.content)


def test_held_mail_stays_until_it_is_retried(
    filled: House, post: Post, relay: ScriptedRelay
) -> None:
    """The app delivers the rest; a word later it delivers this, too."""
    inspection.hold(filled.run_dir, Choice(("first",)))
    post.start(filled._opened[0], relay)
    assert [line["id"] for line in post.ends(1)] == ["second"]
    time.sleep(0.1)
    assert len(filled.lines()) == 1
    assert inspection.retry(filled.run_dir, ALL) == 2
    assert [line["type"] for line in post.ends(3)] == ["Delivery"] * 3


def test_retry_is_at_once(filled: House, post: Post, relay: ScriptedRelay) -> None:
    """A person need not wait for the hour."""
    relay.answers["MAIL"].extend([b"450 later\r\n"] * 2)
    post.start(filled._opened[0], relay, retry=RetrySchedule(first=3600, most=3600))
    while len(filled.lines()) < 3:
        time.sleep(0.01)
    assert inspection.retry(filled.run_dir, ALL) == 3
    post.ends(3)


def test_dropped_mail_has_an_end(filled: House, post: Post, relay: ScriptedRelay) -> None:
    """The app logs a Bounce, once, and the relay never sees it; a later change is too late."""
    assert inspection.drop(filled.run_dir, Choice(("first",))) == 2
    assert inspection.retry(filled.run_dir, Choice(("first",))) == 0
    post.start(filled._opened[0], relay)
    lines = {line["recipient"]: line for line in post.ends(3)}
    assert lines["a@one.example"]["type"] == "Bounce"
    assert lines["b@Two.example"]["response"]["content"] == "dropped by the administrator"
    assert lines["b@example.net"]["type"] == "Delivery"
    assert len(relay.received) == 1
    assert filled.rows("SELECT * FROM content") == []


@pytest.mark.parametrize(
    "asked", ["M\u00fcnchen.example", "xn--mnchen-3ya.example", "m\u00fcnchen.example."]
)
def test_choosing_an_internationalised_domain(
    house: House, mail: Callable[..., QueuedMail], asked: str
) -> None:
    """As a person writes it, or as records show it."""
    house.open().commit_blocking(Unit(mails=(mail(recipients=("a@m\u00fcnchen.example",)), mail())))
    found = inspection.waiting(house.run_dir, Choice(domains=(asked,)))
    assert [each.recipient for each in found] == ["a@m\u00fcnchen.example"]

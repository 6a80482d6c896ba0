"""What an attempt comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.journal.record import PeerAddress
from kumo_handlers.mail.reply import Reply, reply
from kumo_handlers.queue.claim import Claim, Entry
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.spool import EntryKey
from kumo_handlers.queue.transaction import Result
from kumo_handlers.queue.verdict import Judge, Server, drop

if TYPE_CHECKING:
    from kumo_handlers.queue.unit import Unit

NOW = 1000.0
JUDGE = Judge(
    RetrySchedule(first=10, jitter=0, give_up=500), lambda line: f"class of {line}", "here.example"
)
SERVER = Server(1, "mx:25", PeerAddress("mx", "192.0.2.1"), {"delivery_protocol": "ESMTP"})


def claim(*attempts: int, created: float = NOW - 5, verified: bool = True) -> Claim:
    """A message with one recipient for each number of attempts."""
    entries = tuple(
        Entry("m1", position, f"r{position}@x.example", "x.example", number, 0)
        for position, number in enumerate(attempts)
    )
    facts = Facts(verified_sender=verified, meta={"policy": "v"}, headers={"Subject": "s"})
    return Claim(7, "m", "a@b.example", b"12345\r\n", created, facts, entries)


def concluded(one: Claim, *replies: Reply, uncertain: bool = False) -> Unit:
    """The verdict on these replies."""
    results = [
        Result(entry, answer, ".", uncertain)
        for entry, answer in zip(one.entries, replies, strict=True)
    ]
    return JUDGE.conclude(one, results, SERVER, NOW)


@pytest.mark.parametrize(
    ("answer", "kinds", "ends"),
    [
        (reply(250, "2.0.0", "ok"), ["Delivery"], True),
        (reply(550, "5.1.1", "no"), ["Bounce"], True),
        (reply(451, "4.3.0", "later"), ["TransientFailure"], False),
        (Reply(354, "odd"), ["TransientFailure"], False),
    ],
)
def test_by_the_class_of_the_reply(answer: Reply, kinds: list[str], *, ends: bool) -> None:
    """RFC 5321, 4.2.1: 2 is done, 5 is final, and anything else may pass."""
    unit = concluded(claim(0), answer)
    assert [each.type for each in unit.records] == kinds
    assert unit.finished == ((EntryKey(7, 0),) if ends else ())
    assert len(unit.retries) == (0 if ends else 1)


def test_facts_of_the_arrival_are_repeated() -> None:
    """What came in, who was tried, how often, and the class of the answer."""
    [record] = concluded(claim(2), reply(550, "5.1.1", "no")).records
    assert (record.sender, record.recipient, record.queue) == (
        "a@b.example",
        "r0@x.example",
        "x.example",
    )
    assert (record.size, record.num_attempts, record.site) == (7, 3, "mx:25")
    assert (record.created_time, record.event_time) == (NOW - 5, NOW)
    assert record.meta == {"policy": "v"}
    assert record.headers == {"Subject": "s"}
    assert record.bounce_classification == "class of 550 5.1.1 no"


def test_those_that_wait_go_together_again() -> None:
    """One delay, that of the one that failed most often."""
    later = reply(451, "4.3.0", "later")
    unit = concluded(claim(0, 2), later, later)
    assert {retry.due for retry in unit.retries} == {NOW + 40}
    assert [retry.attempts for retry in unit.retries] == [1, 3]
    assert {retry.response for retry in unit.retries} == {"451 4.3.0 later"}


def test_expires_when_the_next_attempt_would_be_too_late() -> None:
    """The failure is logged, and the end."""
    unit = concluded(claim(0, created=NOW - 491), reply(451, "4.3.0", "later"))
    assert [each.type for each in unit.records] == ["TransientFailure", "Expiration"]
    assert "451 4.3.0 later" in unit.records[1].response.content
    assert str(unit.records[1].response.enhanced_code) == "5.4.7"
    assert unit.finished == (EntryKey(7, 0),)
    assert unit.retries == ()


def test_uncertain_attempts_are_counted() -> None:
    """Where the answer was lost the record says so, and the next one will."""
    unit = concluded(claim(0), reply(451, "4.4.2", "lost"), uncertain=True)
    assert unit.records[0].meta["possibly_delivered"] is True
    assert unit.retries[0].duplicates == 1


def test_sender_is_told_once_of_all_that_failed() -> None:
    """One notification for an attempt, and none where all was delivered."""
    no, ok = reply(550, "5.1.1", "no"), reply(250, "2.0.0", "ok")
    [told] = concluded(claim(0, 0, 0), no, ok, no).mails
    assert b"r0@x.example" in told.content
    assert b"r2@x.example" in told.content
    assert b"r1@x.example" not in told.content
    assert concluded(claim(0), ok).mails == ()
    assert concluded(claim(0, verified=False), no).mails == ()


def test_expiry_without_an_attempt() -> None:
    """Nobody was tried, and the records say so."""
    unit = JUDGE.expire(claim(3, 3), "none", NOW)
    assert [each.type for each in unit.records] == ["Expiration"] * 2
    assert {each.num_attempts for each in unit.records} == {3}
    assert {each.site for each in unit.records} == {""}
    assert len(unit.mails) == 1


def test_dropped_mail_is_told_to_nobody() -> None:
    """An end for each recipient, and no mail."""
    unit = drop(claim(0, 0), NOW)
    assert [each.type for each in unit.records] == ["Bounce"] * 2
    assert unit.finished == (EntryKey(7, 0), EntryKey(7, 1))
    assert unit.mails == ()


def test_postponed() -> None:
    """Every entry of a unit that cannot be written waits; one that was delivered may be twice."""
    one = claim(0, 2, 1)
    unit = concluded(
        one, reply(250, "2.0.0", "ok"), reply(550, "5.1.1", "no"), reply(451, "4.3.0", "later")
    )
    again = JUDGE.postpone(one, unit, NOW)
    assert (again.records, again.mails, again.finished) == ((), (), ())
    assert [(each.entry.position, each.attempts, each.duplicates) for each in again.retries] == [
        (0, 1, 1),
        (1, 3, 0),
        (2, 2, 0),
    ]
    assert {each.due for each in again.retries} == {NOW + 40}
    assert JUDGE.postpone(one, again, NOW) == again


def test_postponed_alone() -> None:
    """Recipients that the unit says nothing about are left as they are."""
    one = claim(0, 0)
    unit = JUDGE.conclude(one, [Result(one.entries[1], reply(250, "2.0.0", "ok"))], SERVER, NOW)
    assert [each.entry for each in JUDGE.postpone(one, unit, NOW).retries] == [EntryKey(7, 1)]


def test_uncertain_to_the_end() -> None:
    """Where the last answer was lost, the end says that it may have been delivered, too."""
    unit = concluded(claim(2, created=NOW - 600), reply(451, "4.4.2", "lost"), uncertain=True)
    assert [record.type for record in unit.records] == ["TransientFailure", "Expiration"]
    assert [record.meta.get("possibly_delivered") for record in unit.records] == [True, True]

"""What is due."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.queue import claim as claims
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.spool import EntryKey, Retry
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from kumo_handlers.queue.queued_mail import QueuedMail

    from .conftest import House

NOW = 1000.0


@pytest.fixture
def connection(house: House, mail: Callable[..., QueuedMail]) -> Iterator[sqlite3.Connection]:
    """Three messages: of 10, 20 and 30; the second has two recipients, of which one failed."""
    committer = house.open()
    recipients = ("a@one.example", "b@two.example")
    mails = (
        mail(id="old", time=10.0, reverse_path="", recipients=("\udcff@one.example",)),
        mail(id="two", time=20.0, recipients=recipients, facts=Facts(meta={"a": [1]})),
        mail(id="new", time=30.0, recipients=("c@two.example",)),
    )
    committer.commit_blocking(Unit(mails=mails))
    committer.commit_blocking(Unit(retries=(Retry(EntryKey(2, 1), 2000.0, 1, 1, "450"),)))
    with committer.database.reading() as opened:
        yield opened


def names(found: list[claims.Claim]) -> list[str]:
    """Which messages."""
    return [each.id for each in found]


def test_due_with_the_recipients_that_are(connection: sqlite3.Connection) -> None:
    """One that waits is left out; everything about a message comes back as it was queued."""
    old, two, new = claims.due(connection, NOW)
    assert (old.id, old.reverse_path, old.entries[0].address) == ("old", "", "\udcff@one.example")
    assert [(each.address, each.attempts) for each in two.entries] == [("a@one.example", 0)]
    assert two.facts == Facts(meta={"a": [1]})
    assert (new.created, new.key(new.entries[0])) == (30.0, EntryKey(3, 0))
    later = claims.due(connection, 3000.0)[1]
    assert [(each.attempts, each.duplicates) for each in later.entries] == [(0, 0), (1, 1)]


def test_claimed_and_resting_are_left_out(connection: sqlite3.Connection) -> None:
    """A message is with one worker at a time, and a domain that rests has no mail."""
    assert names(claims.due(connection, NOW, claimed=[1, 3])) == ["two"]
    assert names(claims.due(connection, NOW, resting=["one.example"])) == ["new"]


def test_longest_waiting_first(connection: sqlite3.Connection) -> None:
    """Where not all can be claimed."""
    assert names(claims.due(connection, NOW, limit=1)) == ["old"]
    assert names(claims.due(connection, 15.0)) == ["old"]


def test_large_messages_do_not_fill_the_memory(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as fit; one that is too large alone is taken alone."""
    monkeypatch.setattr(claims, "AT_ONCE", 45)  # each has 20 bytes
    assert names(claims.due(connection, NOW)) == ["old", "two"]
    monkeypatch.setattr(claims, "AT_ONCE", 10)
    assert names(claims.due(connection, NOW)) == ["old"]


def test_older_than(connection: sqlite3.Connection) -> None:
    """By when it came in, due or not, all recipients."""
    old, two = claims.older_than(connection, 20.0, [], 10)
    assert (old.id, two.id, len(two.entries)) == ("old", "two", 2)
    assert names(claims.older_than(connection, 20.0, [1], 10)) == ["two"]
    assert names(claims.older_than(connection, 20.0, [], 1)) == ["old"]


def test_by_number(connection: sqlite3.Connection) -> None:
    """What is gone is not missed."""
    assert names(claims.numbered(connection, [3, 99])) == ["new"]


@pytest.mark.parametrize(
    ("now", "moment"), [(0.0, 10.0), (25.0, 30.0), (30.0, 2000.0), (2000.0, None)]
)
def test_next_due(connection: sqlite3.Connection, now: float, moment: float | None) -> None:
    """When to look again."""
    assert claims.next_due(connection, now) == moment


def test_states(house: House, mail: Callable[..., QueuedMail]) -> None:
    """Held mail is never due; dropped mail is, for its end."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="held"), mail(id="dropped"))))
    with committer.database.transaction() as connection:
        connection.execute("UPDATE recipient SET state = 'held' WHERE message = 1")
        connection.execute("UPDATE recipient SET state = 'dropped' WHERE message = 2")
    with committer.database.reading() as connection:
        assert claims.due(connection, time.time() + 1) == []
        assert claims.older_than(connection, time.time() + 1, [], 10) == []
        [found] = claims.dropped(connection, [], 10)
    assert (found.id, found.is_dropped) == ("dropped", True)

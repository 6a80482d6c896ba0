"""The mail in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageFullError
from kumo_handlers.queue.database import Database
from kumo_handlers.queue.spool import EntryKey, Limits, Spool

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kumo_handlers.queue.queued_mail import QueuedMail


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The committer's."""
    database = Database(tmp_path)
    with database.transaction() as opened:
        yield opened
    database.close()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 201])
def test_any_number_of_mails(
    connection: sqlite3.Connection, mail: Callable[..., QueuedMail], count: int
) -> None:
    """However many go into one statement, each is there, whole, and in order."""
    spool = Spool()
    mails = [mail(content=b"%d\r\n" % number) for number in range(count)]
    spool.add(connection, mails)
    found = connection.execute(
        "SELECT id, content, address FROM message JOIN content ON number = content.message"
        " JOIN recipient ON number = recipient.message ORDER BY number"
    ).fetchall()
    assert found == [(each.id, each.content, b"b@example.net") for each in mails]
    assert spool.messages == count


def test_counting(connection: sqlite3.Connection, mail: Callable[..., QueuedMail]) -> None:
    """What is kept in mind is what is there, through adding and finishing."""
    spool = Spool()
    spool.add(connection, [mail(recipients=("a@x", "b@x")), mail(content=b"12345\r\n"), mail()])
    spool.finish(connection, [EntryKey(1, 0), EntryKey(2, 0), EntryKey(99, 0)])
    kept_in_mind = (spool.messages, spool.bytes)
    spool.count(connection)
    assert (spool.messages, spool.bytes) == kept_in_mind == (2, 40)


def test_numbers_are_not_used_again(
    connection: sqlite3.Connection, mail: Callable[..., QueuedMail]
) -> None:
    """Not within a run: a late word about a message that is gone must not meet another."""
    spool = Spool()
    spool.add(connection, [mail(), mail()])
    spool.finish(connection, [EntryKey(1, 0), EntryKey(2, 0)])
    spool.count(connection)
    spool.add(connection, [mail()])
    assert connection.execute("SELECT number FROM message").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@Example.COM", "example.com"),
        ('"a@b"@x.example', "x.example"),
        ("postmaster", ""),
        ("a@[192.0.2.1]", "[192.0.2.1]"),
        ("a@[IPv6:2001:DB8:0::1]", "[ipv6:2001:db8::1]"),
        ("a@Example.COM.", "example.com"),
        ("a@M\u00fcnchen.example", "xn--mnchen-3ya.example"),
        ("a@xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("a@No Domain", "no domain"),
        ("a@\udcff.Example", "?.example"),
    ],
)
def test_domain_beside_the_address(
    connection: sqlite3.Connection,
    mail: Callable[..., QueuedMail],
    address: str,
    domain: str,
) -> None:
    """The address stays as it was received; its domain is folded."""
    Spool().add(connection, [mail(recipients=(address,))])
    found = connection.execute("SELECT address, domain FROM recipient").fetchall()
    assert found == [(address.encode("utf-8", "surrogateescape"), domain)]


@pytest.mark.parametrize(("messages", "size"), [(3, 0), (0, 101)])
def test_room(messages: int, size: int) -> None:
    """As much as the limits say, and not more."""
    spool = Spool(Limits(max_messages=2, max_bytes=100))
    spool.require_room(2, 100)
    with pytest.raises(StorageFullError):
        spool.require_room(messages, size)

"""What is due: messages taken from the queue for an attempt, each with its recipients.

A claim is held in memory alone. Claims that were open when the program died are due again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.mail import octets
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.spool import EntryKey

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

log = logging.getLogger(__name__)

AT_ONCE = 32 << 20  # bytes of content that one look takes into memory, if not one message alone

_DUE = (
    "SELECT message FROM recipient WHERE state = ? AND due <= ?"
    " AND message NOT IN (SELECT value FROM json_each(?))"
    " AND domain NOT IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT ?"
)
_OLD = (
    "SELECT number FROM message WHERE created <= ?"
    " AND number NOT IN (SELECT value FROM json_each(?)) AND EXISTS"
    " (SELECT 1 FROM recipient WHERE message = number AND state = 'queued') LIMIT ?"
)
# SQLite keeps what it is given: a row that somebody changed by hand may hold any type. Whatever it
# is, it is mail, and must not keep the rest of the queue from being read.
WHOLE = (
    "SELECT number, CAST(id AS TEXT), CAST(reverse_path AS BLOB), CAST(created AS REAL),"
    " CAST(facts AS BLOB), CAST(content AS BLOB) FROM message JOIN content ON message = number"
)
_MESSAGES = f"{WHOLE} WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number"  # noqa: S608 - ours
_ENTRIES = (
    "SELECT position, CAST(address AS BLOB), CAST(domain AS TEXT), CAST(attempts AS INTEGER),"
    " CAST(duplicates AS INTEGER) FROM recipient"
    " WHERE message = ? AND state = ? AND due <= ? ORDER BY position"
)
_ASKED = (
    "SELECT domain, -MIN(due) FROM recipient WHERE state = 'queued' AND due < 0 GROUP BY domain"
)
_NEXT = "SELECT MIN(due) FROM recipient WHERE state = 'queued' AND due > ?"


class Entry(msgspec.Struct, frozen=True):
    """One recipient of a claimed message, with the id that its records have.

    ``attempts`` are those before this one.
    """

    id: str
    position: int
    address: str
    domain: str
    attempts: int
    duplicates: int


class Claim(msgspec.Struct, frozen=True):
    """A message and those of its recipients that are due.

    ``created`` is when it came in. ``is_dropped``: a person wants it gone, undelivered.
    """

    message: int
    id: str
    reverse_path: str
    content: bytes
    created: float
    facts: Facts
    entries: tuple[Entry, ...]
    is_dropped: bool = False

    def key(self, entry: Entry) -> EntryKey:
        """Where the entry stands in the queue."""
        return EntryKey(self.message, entry.position)


def due(
    connection: sqlite3.Connection,
    now: float,
    *,
    claimed: Collection[int] = (),
    resting: Iterable[str] = (),
    limit: int = 32,
) -> list[Claim]:
    """The messages that are due, the longest-waiting first, but for domains that rest."""
    names = _json(list(resting))
    found = connection.execute(_DUE, ("queued", now, _json(list(claimed)), names, limit))
    return _claims(connection, {number for (number,) in found}, "queued", now)


def dropped(connection: sqlite3.Connection, claimed: Collection[int], limit: int) -> list[Claim]:
    """The messages that a person wants gone."""
    always = float("inf")
    found = connection.execute(_DUE, ("dropped", always, _json(list(claimed)), "[]", limit))
    return _claims(connection, {number for (number,) in found}, "dropped", always)


def older_than(
    connection: sqlite3.Connection, moment: float, claimed: Collection[int], limit: int
) -> list[Claim]:
    """The messages that came in before ``moment``, due or not."""
    found = connection.execute(_OLD, (moment, _json(list(claimed)), limit))
    return _claims(connection, {number for (number,) in found}, "queued", float("inf"))


def numbered(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[Claim]:
    """The messages of these numbers that are still there, due or not."""
    return _claims(connection, set(numbers), "queued", float("inf"))


def asked(connection: sqlite3.Connection) -> dict[str, float]:
    """The domains to which a person wants mail tried now, and when that was last said."""
    return dict(connection.execute(_ASKED))


def next_due(connection: sqlite3.Connection, now: float) -> float | None:
    """When something will be due that is not yet; None where nothing waits."""
    (moment,) = connection.execute(_NEXT, (now,)).fetchone()
    return None if moment is None else float(moment)


def _claims(
    connection: sqlite3.Connection, numbers: set[int], state: str, now: float
) -> list[Claim]:
    claims: list[Claim] = []
    size = 0
    for row in connection.execute(_MESSAGES, (_json(sorted(numbers)),)):
        number, name, reverse_path, created, facts, content = row
        size += len(content)
        if claims and size > AT_ONCE:
            break
        said = facts_of(facts, name)
        entries = tuple(
            Entry(_name(said, position, name), position, address_of(address), *rest)
            for position, address, *rest in connection.execute(_ENTRIES, (number, state, now))
        )
        if not entries:
            continue
        claims.append(
            Claim(
                message=number,
                id=name,
                reverse_path=address_of(reverse_path),
                content=content,
                created=created,
                facts=said,
                entries=entries,
                is_dropped=state == "dropped",
            )
        )
    return claims


def facts_of(stored: bytes, name: str) -> Facts:
    """What came with the message of that id. A damaged row keeps no mail from being delivered."""
    try:
        return msgspec.json.decode(stored, type=Facts)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("what is known of message %s is damaged, it goes on without: %s", name, error)  # noqa: TRY400 - the reason is all there is
        return Facts()


def _name(said: Facts, position: int, name: str) -> str:
    """The id of one recipient's records; where they are lost, the message's."""
    return said.ids[position] if position < len(said.ids) else name


def address_of(stored: bytes) -> str:
    """An address as it stands in the database."""
    return octets.to_text(stored)


def _json(values: list[int] | list[str]) -> str:
    return msgspec.json.encode(values).decode()

"""The mail in the queue: what is written in a commit, and how much of it there may be.

A message's content stands once, each recipient in a row of its own with its state. Every
statement takes a whole batch: SQLite lets go of the interpreter's lock at each step, and to get
it back from a busy thread takes longer than the step.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import AddressError, StorageFullError
from kumo_handlers.journal.record import encode_json
from kumo_handlers.mail import octets
from kumo_handlers.mail.address import fold_domain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from kumo_handlers.queue.queued_mail import QueuedMail

# Most rows to a statement. Each number of rows is a statement of its own, prepared once and kept:
# many rows are a multiple of a few.
_ROWS, _FEW = 256, 16

_MESSAGE = "INSERT INTO message (number, id, reverse_path, created, size, facts) VALUES "
_CONTENT = "INSERT INTO content (message, content) VALUES "
_RECIPIENT = "INSERT INTO recipient (message, position, address, domain, due) VALUES "
_FINISH = (
    "DELETE FROM recipient WHERE (message, position) IN"
    " (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
)
_FORGET = (
    "DELETE FROM message WHERE number IN (SELECT value ->> 0 FROM json_each(?)) AND NOT EXISTS"
    " (SELECT 1 FROM recipient WHERE recipient.message = message.number) RETURNING number, size"
)
_FORGET_CONTENT = "DELETE FROM content WHERE message IN (SELECT value FROM json_each(?))"
_RETRY = (
    "UPDATE recipient SET due = ?, attempts = ?, duplicates = ?, response = ?"
    " WHERE message = ? AND position = ?"
)


class EntryKey(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One recipient of one message: the message's number in the queue, and its place in it."""

    message: int
    position: int


class Retry(msgspec.Struct, frozen=True):
    """A recipient that stays in the queue until ``due`` (seconds since the epoch).

    ``duplicates`` counts the attempts after which the relay may have the message although it
    was not known to us.
    """

    entry: EntryKey
    due: float
    attempts: int
    duplicates: int
    response: str


class Limits(msgspec.Struct, frozen=True):
    """How much mail may wait: bytes of content, and messages."""

    max_bytes: int = 8 << 30
    max_messages: int = 1_000_000


class Spool:
    """The tables of mail. Used by the committer's thread, within its transactions.

    ``messages`` and ``bytes`` are what is in the queue once the running transaction commits.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.messages = 0
        self.bytes = 0
        self._number = 0

    def count(self, connection: sqlite3.Connection) -> None:
        """Learn what is there: at start, and after a transaction that failed."""
        (self.messages, self.bytes, last) = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(MAX(number), 0) FROM message"
        ).fetchone()
        self._number = max(self._number, last)

    def require_room(self, messages: int, size: int) -> None:
        """Raise `StorageFullError` where this much more would be too much."""
        if self.messages + messages > self._limits.max_messages:
            raise StorageFullError(f"the queue holds {self.messages} messages, its limit")
        if self.bytes + size > self._limits.max_bytes:
            raise StorageFullError(f"the queue holds {self.bytes} bytes, {size} more are too many")

    def add(self, connection: sqlite3.Connection, mails: Sequence[QueuedMail]) -> None:
        """Put mails into the queue, due at once."""
        first = self._number + 1
        self._number += len(mails)
        numbered = list(enumerate(mails, first))
        _insert(connection, _MESSAGE, [_message(number, mail) for number, mail in numbered])
        _insert(connection, _CONTENT, [(number, mail.content) for number, mail in numbered])
        _insert(
            connection,
            _RECIPIENT,
            [
                (number, position, *_recipient(address), mail.time)
                for number, mail in numbered
                for position, address in enumerate(mail.recipients)
            ],
        )
        self.messages += len(mails)
        self.bytes += sum(len(mail.content) for mail in mails)

    def finish(self, connection: sqlite3.Connection, entries: Sequence[EntryKey]) -> None:
        """Take recipients out of the queue, and each message with its last one."""
        keys = msgspec.json.encode(entries).decode()
        connection.execute(_FINISH, (keys,))
        gone = connection.execute(_FORGET, (keys,)).fetchall()
        numbers = msgspec.json.encode([number for number, _ in gone]).decode()
        connection.execute(_FORGET_CONTENT, (numbers,))
        self.messages -= len(gone)
        self.bytes -= sum(size for _, size in gone)

    def retry(self, connection: sqlite3.Connection, retries: Iterable[Retry]) -> None:
        """Note a failed attempt, and when the next one is due."""
        connection.executemany(
            _RETRY,
            [
                (
                    each.due,
                    each.attempts,
                    each.duplicates,
                    _text(each.response),
                    each.entry.message,
                    each.entry.position,
                )
                for each in retries
            ],
        )


def _text(reply: str) -> str:
    """What a relay said, as TEXT: SQLite has no lone surrogates, which stand for stray bytes."""
    return reply.encode("utf-8", "backslashreplace").decode()


def _message(number: int, mail: QueuedMail) -> tuple[object, ...]:
    reverse_path = octets.of_text(mail.reverse_path)
    return (number, mail.id, reverse_path, mail.time, len(mail.content), encode_json(mail.facts))


def _recipient(address: str) -> tuple[bytes, str]:
    """The address as it was received, and its domain for looking it up."""
    domain = address.rpartition("@")[2] if "@" in address else ""
    return octets.of_text(address), domain_key(domain)


def domain_key(domain: str) -> str:
    """The domain as the queue knows it: folded, as far as it is one.

    A mail has the same name in each of its records, and one domain rests under one name.
    """
    try:
        return fold_domain(domain)
    except AddressError:
        return domain.lower().encode("utf-8", "replace").decode()


def _insert(
    connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows, many to a statement."""
    first = 0
    while first < len(rows):
        some = rows[first : first + _at_once(len(rows) - first)]
        fields = [field for row in some for field in row]
        connection.execute(_with_values(statement, len(some), len(rows[0])), fields)
        first += len(some)


def _at_once(rows: int) -> int:
    """How many of them the next statement takes."""
    most = min(rows, _ROWS)
    return most if most < _FEW else most - most % _FEW


@lru_cache(maxsize=4 * (_ROWS // _FEW + _FEW))
def _with_values(statement: str, rows: int, fields: int) -> str:
    return statement + ", ".join([f"({', '.join('?' * fields)})"] * rows)

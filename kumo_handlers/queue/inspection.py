"""The queue as a person sees and changes it, beside a running app or without one.

Reading disturbs nobody. A change is a word in the recipient's row: the app that has the queue
sees it within a second and acts on it, so that what is logged is logged in one place.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import StorageError
from kumo_handlers.queue.claim import WHOLE, address_of, facts_of
from kumo_handlers.queue.database import ENTERED, FILE, LOCK, connect, storage_error
from kumo_handlers.queue.daybook import Daybook
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.spool import domain_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Of a damaged row SQLite would say that nothing can be read.
_FACTS = "CASE WHEN json_valid(CAST(facts AS TEXT)) THEN CAST(facts AS TEXT) END"
# A recipient has the message's id, or its own where several share the message.
_NAME = f"COALESCE({_FACTS} ->> ('$.ids[' || position || ']'), id)"
_LIST = (
    f"SELECT {_NAME} AS name,"  # noqa: S608 - these are words of ours
    " CAST(reverse_path AS BLOB), CAST(address AS BLOB), CAST(state AS TEXT),"
    " CAST(attempts AS INTEGER), CAST(created AS REAL), MAX(CAST(due AS REAL), 0.0),"
    " CAST(size AS INTEGER), CAST(duplicates AS INTEGER), CAST(response AS TEXT)"
    " FROM recipient JOIN message ON number = message"
    " WHERE :everything OR name IN (SELECT value FROM json_each(:ids))"
    " OR domain IN (SELECT value FROM json_each(:domains))"
    " ORDER BY number, position LIMIT :limit"
)
_MESSAGES = (
    f"{WHOLE} WHERE id = :id"  # noqa: S608 - likewise
    f" OR :id IN (SELECT value FROM json_each({_FACTS}, '$.ids')) ORDER BY number"
)
# What is to be tried now is due before the epoch, by when that was said: see `claim.asked`.
_CHANGE = (
    "UPDATE recipient SET state = :state,"  # noqa: S608 - likewise
    " due = CASE WHEN :state = 'queued' THEN -:now ELSE due END"
    " WHERE state <> 'dropped' AND (:everything"
    " OR domain IN (SELECT value FROM json_each(:domains))"
    f" OR (SELECT {_NAME}"
    " FROM message WHERE number = message) IN (SELECT value FROM json_each(:ids)))"
)
_SUMMARY = "SELECT state, COUNT(*), COUNT(DISTINCT message) FROM recipient GROUP BY state"
_EVERYTHING = -1  # no limit, in SQLite's words


class Choice(msgspec.Struct, frozen=True):
    """Which recipients: those of some messages, those at some domains, or all."""

    ids: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    everything: bool = False

    def parameters(self) -> dict[str, object]:
        """For the statements of this module."""
        domains = [domain_key(domain) for domain in self.domains]
        return {"everything": self.everything, "ids": _json(self.ids), "domains": _json(domains)}


class Waiting(msgspec.Struct, frozen=True):
    """One recipient in the queue. Times are seconds since the epoch, ``size`` is bytes.

    ``state`` is ``queued``, ``held``, or ``dropped`` until the app has seen it.
    """

    id: str
    sender: str
    recipient: str
    state: str
    attempts: int
    created: float
    due: float
    size: int
    possible_duplicates: int
    response: str | None


class Whole(msgspec.Struct, frozen=True):
    """One message in the queue, with its content and its recipients."""

    id: str
    sender: str
    created: float
    facts: Facts
    content: bytes


def waiting(run_dir: Path, choice: Choice, limit: int = _EVERYTHING) -> list[Waiting]:
    """What is in the queue, the oldest first. Raises `StorageError`."""
    with _opened(run_dir, read_only=True) as connection:
        rows = connection.execute(_LIST, choice.parameters() | {"limit": limit}).fetchall()
    return [
        Waiting(name, address_of(sender), address_of(recipient), *rest)
        for name, sender, recipient, *rest in rows
    ]


def summary(run_dir: Path) -> dict[str, int]:
    """How many recipients there are in each state. Raises `StorageError`."""
    with _opened(run_dir, read_only=True) as connection:
        return {state: count for state, count, _ in connection.execute(_SUMMARY)}


def whole(run_dir: Path, name: str) -> list[Whole]:
    """The messages of that id: several where recipients get different headers.

    Raises `StorageError`.
    """
    with _opened(run_dir, read_only=True) as connection:
        rows = connection.execute(_MESSAGES, {"id": name}).fetchall()
    return [
        Whole(name, address_of(sender), created, facts_of(facts, name), content)
        for _, _, sender, created, facts, content in rows
    ]


def left_over(run_dir: Path) -> int:
    """How many messages an app that was killed had accepted and not entered into the queue yet.

    They are entered when it starts. While it runs it enters them itself. Raises `StorageError`.
    """
    folder = run_dir / "queue"
    if not (folder / "daybook").exists():
        return 0
    with (folder / LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        with _opened(run_dir, read_only=True) as connection:
            (entered,) = connection.execute(ENTERED).fetchone()
        return sum(page.messages for page in Daybook(folder / "daybook").left_over(entered))


def hold(run_dir: Path, choice: Choice) -> int:
    """Deliver these no more, until they are retried; how many. Raises `StorageError`."""
    return _change(run_dir, choice, "held")


def retry(run_dir: Path, choice: Choice) -> int:
    """Try these now, held or not, though their server rests; how many. Raises `StorageError`."""
    return _change(run_dir, choice, "queued")


def drop(run_dir: Path, choice: Choice) -> int:
    """Give these up: a Bounce is logged and nobody is told; how many. Raises `StorageError`."""
    return _change(run_dir, choice, "dropped")


def _change(run_dir: Path, choice: Choice, state: str) -> int:
    with _opened(run_dir) as connection:
        given = choice.parameters() | {"state": state, "now": time.time()}
        return connection.execute(_CHANGE, given).rowcount


@contextmanager
def _opened(run_dir: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    path = run_dir / "queue" / FILE
    if not path.exists():
        raise StorageError(f"{path}: there is no queue")
    try:
        with closing(connect(path, read_only=read_only)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise storage_error(error, path) from error


def _json(values: Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()

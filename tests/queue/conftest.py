"""What the tests of the queue share: records, mail, and a committer on a folder of its own."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.journal.jsonl import JsonLines
from kumo_handlers.journal.record import Record, RecordType, Response
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.queued_mail import QueuedMail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ids = itertools.count(1)


class House:
    """A run folder and the committers opened on it, one after the other."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._opened: list[Committer] = []

    def open(self, **options: Any) -> Committer:  # noqa: ANN401 - whatever Committer takes
        """A started committer that writes to the log of this folder."""
        sinks = {"jsonl": JsonLines(self.run_dir / "log")}
        committer = Committer(self.run_dir, sinks, **options)
        self._opened.append(committer)
        committer.start()
        return committer

    def close(self) -> None:
        """Close what is open."""
        for committer in self._opened:
            committer.close()

    def lines(self) -> list[dict[str, Any]]:
        """Every record of the log, in order."""
        return [
            json.loads(line)
            for path in sorted((self.run_dir / "log").glob("*"))
            for line in path.read_text().splitlines()
        ]

    def ids(self) -> list[str]:
        """The id of every record of the log, in order."""
        return [line["id"] for line in self.lines()]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds, seen from outside."""
        path = self.run_dir / "queue" / "spool.sqlite3"
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty run folder."""
    made = House(tmp_path / "run")
    yield made
    made.close()


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes records, each with an id of its own."""

    def make(**fields: Any) -> Record:  # noqa: ANN401 - whatever Record takes
        taken: dict[str, Any] = {
            "type": RecordType.RECEPTION,
            "id": f"r{next(_ids)}",
            "sender": "a@example.com",
            "recipient": "b@example.net",
            "response": Response(250, None, "OK"),
            "timestamp": 1,
            "event_time": 1.0,
            "created": 1,
            "created_time": 1.0,
        }
        return Record(**(taken | fields))

    return make


@pytest.fixture
def mail() -> Callable[..., QueuedMail]:
    """Makes mail to relay, each with an id of its own."""

    def make(**fields: Any) -> QueuedMail:  # noqa: ANN401 - whatever QueuedMail takes
        taken: dict[str, Any] = {
            "id": f"m{next(_ids)}",
            "reverse_path": "a@example.com",
            "recipients": ("b@example.net",),
            "content": b"Subject: x\r\n\r\nbody\r\n",
            "time": 1.0,
        }
        return QueuedMail(**(taken | fields))

    return make

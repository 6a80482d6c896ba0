"""What the tests of the queue share: records, mail, and a committer on a folder of its own."""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.journal.jsonl import JsonLines
from kumo_handlers.journal.record import Record, RecordType, Response
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.courier import DeliveryOptions
from kumo_handlers.queue.delivery import Delivery
from kumo_handlers.queue.greeting import Timeouts
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.queue.schedule import RetrySchedule

from .scripted_relay import ScriptedRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ids = itertools.count(1)


class House:
    """A run folder and the committers opened on it, one after the other."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._opened: list[Committer] = []

    def open(self, **options: Any) -> Committer:
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
            for line in path.read_text()
            .rpartition("\n")[0]
            .splitlines()  # a last one may be growing
        ]

    def ids(self) -> list[str]:
        """The id of every record of the log, in order."""
        return [line["id"] for line in self.lines()]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds, seen from outside."""
        path = self.run_dir / "queue" / "spool.sqlite3"
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            return connection.execute(query).fetchall()

    def change(self, statement: str) -> None:
        """Damage what the database holds."""
        path = self.run_dir / "queue" / "spool.sqlite3"
        with closing(sqlite3.connect(path, timeout=5)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty run folder."""
    made = House(tmp_path / "run")
    yield made
    made.close()


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes records, each with an id of its own."""

    def make(**fields: Any) -> Record:
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

    def make(**fields: Any) -> QueuedMail:
        taken: dict[str, Any] = {
            "id": f"m{next(_ids)}",
            "reverse_path": "a@example.com",
            "recipients": ("b@example.net",),
            "content": b"Subject: x\r\n\r\nbody\r\n",
            "time": time.time(),
        }
        return QueuedMail(**(taken | fields))

    return make


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    """A relay that accepts everything until it is told otherwise."""
    started = ScriptedRelay().start()
    yield started
    started.stop()


class Post:
    """Delivery on a house, with delays that a test can wait for."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._running: list[Delivery] = []

    def start(self, committer: Committer, relay: ScriptedRelay, **options: Any) -> Delivery:
        """Deliver what is queued."""
        taken: dict[str, Any] = {
            "retry": RetrySchedule(first=0.02, most=0.1),
            "back_off": RetrySchedule(first=0.02, most=0.05),
            "timeouts": Timeouts(connect=1.0, command=0.3, final_dot=0.3),
            "workers": 2,
        }
        delivery = Delivery(relay, committer, DeliveryOptions(**(taken | options)))
        self._running.append(delivery)
        delivery.start()
        return delivery

    def stop(self) -> None:
        """Stop what runs."""
        for delivery in self._running:
            delivery.stop(0.5)

    def ends(self, count: int, limit: float = 10.0) -> list[dict[str, Any]]:
        """The records of delivery, once this many recipients have come to an end."""
        end = time.monotonic() + limit
        while True:
            lines = self._house.lines()
            ended = [each for each in lines if each["type"] in _ENDS]
            if len(ended) >= count:
                return lines
            assert time.monotonic() < end, f"{len(ended)} of {count} ended: {lines}"
            time.sleep(0.01)


_ENDS = ("Delivery", "Bounce", "Expiration")


@pytest.fixture
def post(house: House) -> Iterator[Post]:
    """Starts deliveries, and stops them before the committer is closed."""
    made = Post(house)
    yield made
    made.stop()

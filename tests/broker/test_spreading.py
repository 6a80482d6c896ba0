"""From a client's bytes, by way of a real RabbitMQ, to a worker's log and to the relay."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import kumo_handlers
from kumo_handlers.testing import make_bounce, make_complaint, make_letter
from tests.broker.conftest import accepted_soon, send
from tests.queue.scripted_relay import ScriptedRelay
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.broker.conftest import Spread
    from tests.servers.rabbitmq import Broker

LETTER = make_letter("bob@example.com")
HANDLERS = kumo_handlers.pipeline(inbound=["tests.broker.failing"])


@pytest.fixture
def tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the failing handler notes that it was called."""
    noted = tmp_path / "tries"
    noted.touch()
    monkeypatch.setenv("TRIES", str(noted))
    return noted


def test_each_class_of_mail(spread: Spread) -> None:
    """Accepted by one node, logged by another as if it had been there; refusals stay here."""
    options = ("queues=mail,bounces,complaints",)
    intake, worker = spread.add("receiver", *options), spread.add("worker", *options)
    intake.ready()
    accepted_soon(intake.port, "bob@example.com", LETTER)
    bounce, complaint = make_bounce("gone@x.example"), make_complaint("me@x.example")
    assert send(intake.port, "v@bounce.example.com", bounce, "").startswith("250")
    assert send(intake.port, "f@fbl.example.com", complaint, "").startswith("250")
    assert send(intake.port, "v@bounce.example.com", LETTER).startswith("550 5.7.1")
    assert send(intake.port, "v@elsewhere.example", LETTER).startswith("550 5.7.1")
    until(lambda: len(worker.records()) >= 3)
    found = {record["type"]: record for record in worker.records()}
    assert sorted(found) == ["Feedback", "OOB", "Reception"]
    assert found["OOB"]["recipient"] == "gone@x.example"
    reception = found["Reception"]
    assert (reception["sender"], reception["size"]) == ("ann@else.example", len(LETTER))
    assert reception["peer_address"] == {"name": "client.example", "addr": "127.0.0.1"}
    assert reception["meta"]["rule"] == "relay_to"
    assert intake.stop() == worker.stop() == 0
    assert [record["type"] for record in intake.records()] == ["Rejection", "Rejection"]
    assert "guest:guest" not in intake.said() + worker.said()


def test_mail_to_relay_is_anybodys(spread: Spread) -> None:
    """A worker without a relay handles it, another one delivers it, at the second attempt."""
    relay = ScriptedRelay().start()
    relay.answers["."].append(b"451 4.3.0 not now\r\n")
    intake = spread.add("receiver")
    handling = spread.add("worker", "retry=0.3s", "take=mail")
    relaying = spread.add("worker", "retry=0.3s", "take=relay", relay_port=relay.port)
    intake.ready()
    accepted_soon(intake.port, "bob@example.com", LETTER)
    until(lambda: len(relaying.records()) == 2)
    assert [record["type"] for record in handling.records()] == ["Reception"]
    first, second = relaying.records()
    assert (first["type"], second["type"]) == ("TransientFailure", "Delivery")
    assert (first["num_attempts"], second["num_attempts"]) == (1, 2)
    assert [each.content.endswith(LETTER) for each in relay.received] == [True, True]
    relay.stop()


def test_a_failing_handler(spread: Spread, tries: Path) -> None:
    """Tried again with a pause, then a dead letter that says why; a later success is one."""
    intake = spread.add("receiver")
    worker = spread.add("worker", handlers=HANDLERS)
    intake.ready()
    for name in ("crash", "refuse", "later"):
        accepted_soon(intake.port, f"{name}@example.com", LETTER)
    until(lambda: len(worker.records()) == 3)
    noted = [line.split() for line in tries.read_text().splitlines()]
    moments = [float(moment) for name, moment in noted if name == "crash"]
    assert len(moments) == 3
    assert moments[1] - moments[0] >= 0.3
    assert moments[2] - moments[1] >= 0.5
    found = {record["recipient"].partition("@")[0]: record for record in worker.records()}
    assert {name: record["type"] for name, record in found.items()} == {
        "crash": "Rejection",
        "refuse": "Rejection",
        "later": "Reception",
    }
    assert found["crash"]["meta"]["handler"] == "tests.broker.failing.START"
    until(lambda: "is a dead letter" in worker.said())
    reasons = {headers["x-reason"]: headers for headers in spread.dead()}
    assert sorted(reasons) == [
        "tests.broker.failing.START for crash@example.com: 451 4.3.0 local error in processing",
        "tests.broker.failing.START for refuse@example.com: 550 5.7.0 not this one",
    ]


def test_a_message_that_takes_workers_down(spread: Spread, tries: Path) -> None:
    """After so many it is a dead letter, and the others get through."""
    options = ("delivery_limit=1", "prefetch=1")  # what is in hand with it counts, too
    intake = spread.add("receiver", *options)
    workers = [spread.add("worker", *options, handlers=HANDLERS) for _ in range(3)]
    intake.ready()
    accepted_soon(intake.port, "kill@example.com", LETTER)
    accepted_soon(intake.port, "bob@example.com", LETTER)
    until(lambda: any(worker.records("Reception") for worker in workers))
    until(lambda: tries.read_text().count("kill") == 2)
    time.sleep(0.3)
    assert tries.read_text().count("kill") == 2
    (letter,) = spread.dead()
    assert letter["x-first-death-reason"] == "delivery_limit"


def test_a_worker_that_is_stopped(spread: Spread, tries: Path) -> None:
    """What it has in hand is finished, and is nobody else's then."""
    intake = spread.add("receiver")
    worker = spread.add("worker", handlers=HANDLERS)
    intake.ready()
    accepted_soon(intake.port, "slow@example.com", LETTER)
    until(lambda: "slow" in tries.read_text())
    assert worker.stop() == 0
    assert [record["recipient"] for record in worker.records()] == ["slow@example.com"]
    other = spread.add("worker", handlers=HANDLERS)
    accepted_soon(intake.port, "bob@example.com", LETTER)
    until(lambda: bool(other.records()))
    assert tries.read_text().count("slow") == 1


class Load:
    """Mail from several clients at once; who was told 250 is in ``accepted``."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more of it."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, client: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            recipient = f"m{client}-{number}@example.com"
            try:
                reply = send(self._port, recipient, LETTER)
            except OSError as error:
                reply = repr(error)
            (self.accepted if reply.startswith("250") else self.refused).append(recipient)
            if not reply.startswith("250"):
                time.sleep(0.05)


def counted(records: list[dict[str, Any]]) -> dict[str, int]:
    """How many different records each recipient has: a repeat is the same, to the last octet."""
    lines = {repr(sorted(record.items())): record["recipient"] for record in records}
    found: dict[str, int] = {}
    for recipient in lines.values():
        found[recipient] = found.get(recipient, 0) + 1
    return found


def test_a_broker_that_is_killed_and_comes_back(spread: Spread, rabbitmq: Broker) -> None:
    """451 at once while it is gone; nothing that was accepted is missing, or counted twice."""
    intake = spread.add("receiver")
    workers = [spread.add("worker") for _ in range(2)]
    intake.ready()
    accepted_soon(intake.port, "bob@example.com", LETTER)
    time.sleep(0.6)  # RabbitMQ forgets a queue that is younger than half a second
    load = Load(intake.port)
    time.sleep(1)
    rabbitmq.kill()
    before = time.monotonic()
    assert send(intake.port, "bob@example.com", LETTER).startswith("451 4.3.0")
    assert time.monotonic() - before < 2
    rabbitmq.start()
    count = len(load.accepted)
    until(lambda: len(load.accepted) > count + 100)
    load.stop()
    until(lambda: load.accepted and {*load.accepted} <= {*counted(spread.records("Reception"))})
    found = counted(spread.records("Reception"))
    assert {found[recipient] for recipient in load.accepted} == {1}
    assert all(worker.records() for worker in workers)


def test_workers_that_are_killed(spread: Spread) -> None:
    """What they had in hand is taken by another; nothing is missing, or counted twice."""
    intake = spread.add("receiver")
    workers = [spread.add("worker") for _ in range(2)]
    intake.ready()
    accepted_soon(intake.port, "bob@example.com", LETTER)
    load = Load(intake.port)
    for worker in workers:
        time.sleep(0.7)
        worker.kill()
        worker.start(wait=False)
    time.sleep(0.3)
    load.stop()
    until(lambda: {*load.accepted} <= {*counted(spread.records("Reception"))})
    found = counted(spread.records("Reception"))
    assert {found[recipient] for recipient in load.accepted} == {1}
    assert not load.refused

"""Kept messages, read again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError
from kumo_handlers.journal.record import Arrival, encode
from kumo_handlers.journal.replaying import Replayed, recorded_arrivals, replay
from kumo_handlers.journal.reporting import unread
from kumo_handlers.mail import address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.reports import classification
from kumo_handlers.reports.report import Unreadable

if TYPE_CHECKING:
    from kumo_handlers.journal.record import Record

MESSAGES = Path(__file__).parent / "messages"
ARRIVAL = Arrival(
    id="k1",
    session=Session(id="s1", peer=Peer("192.0.2.25"), client_name="mx.dest.example"),
    reverse_path=address.NULL,
    forward_path=address.parse("real@bounce.sender.example"),
    size=9,
    time=1_725_400_000.5,
    nodeid="n1",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder with a message that can be read by now, and one that still cannot."""
    kept = tmp_path / "unparsed"
    kept.mkdir()
    shutil.copy(MESSAGES / "bounce.eml", kept / "k1.eml")
    shutil.copy(MESSAGES / "unreadable.eml", kept / "k2.eml")
    (kept / ".k3.eml").write_bytes(b"unfinished")
    log = tmp_path / "log"
    log.mkdir()
    line = encode(unread(ARRIVAL, Unreadable("dsn", "why"), "k1.eml"))
    (log / "20240903-100000.jsonl").write_bytes(b'{"kept":"torn\n' + line + b"\n" + line[:40])
    return tmp_path


def replayed(folder: Path, logged: list[Record]) -> list[Replayed]:
    """Replay ``folder``; what is logged goes to ``logged``."""
    arrivals = recorded_arrivals(folder / "log")
    rules = classification.NO_RULES
    return list(replay(folder / "unparsed", arrivals, rules, logged.extend))


def test_understood_now_is_logged_once(folder: Path) -> None:
    """It is logged and leaves the folder; the other stays, and says why."""
    logged: list[Record] = []
    first, second = replayed(folder, logged)
    assert [each.recipient for each in logged] == ["Ann.Lee@dest.example", "bob@dest.example"]
    assert (first.name, len(first.logged)) == ("k1.eml", 2)
    assert (second.name, second.logged) == ("k2.eml", ())
    assert second.reason
    assert [each.name for each in replayed(folder, logged)] == ["k2.eml"]
    assert len(logged) == 2


def test_the_envelope_is_that_of_the_record(folder: Path) -> None:
    """Who it came to, when, and from whom is in the log, not in the message."""
    logged: list[Record] = []
    replayed(folder, logged)
    found = logged[0]
    assert (found.id, found.sender, found.nodeid) == ("k1", "real@bounce.sender.example", "n1")
    assert found.peer_address is not None
    assert found.peer_address.addr == "192.0.2.25"
    assert found.created_time == 1_725_400_000.5


def test_without_its_record_a_message_speaks_for_itself(folder: Path) -> None:
    """A log that was cleared away does not keep a message from being read."""
    shutil.rmtree(folder / "log")
    logged: list[Record] = []
    replayed(folder, logged)
    assert (logged[0].id, logged[0].sender) == ("k1", "ret+42@bounce.sender.example")


def test_what_is_not_logged_stays(folder: Path) -> None:
    """The file goes only after its records are durable."""

    def full(_: tuple[Record, ...]) -> None:
        raise StorageError("disk full")

    with pytest.raises(StorageError):
        list(replay(folder / "unparsed", {}, classification.NO_RULES, full))
    assert (folder / "unparsed" / "k1.eml").exists()

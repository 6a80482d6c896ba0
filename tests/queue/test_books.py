"""What comes by the daybook, entered into queue and log."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import StorageError, StorageFullError
from kumo_handlers.journal.record import Record, RecordType
from kumo_handlers.queue import commit, daybook
from kumo_handlers.queue.spool import EntryKey, Limits
from kumo_handlers.queue.unit import Unit
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kumo_handlers.queue.commit import Committer
    from kumo_handlers.queue.queued_mail import QueuedMail

    from .conftest import House


@contextlib.contextmanager
def closed_books(committer: Committer) -> Iterator[None]:
    """Nothing is entered meanwhile."""
    with committer._books._lock:
        yield


def together(committer: Committer, units: Sequence[Unit]) -> list[Any]:
    """What became of units that were handed in at once, and so share a page."""

    async def commit_all() -> list[Any]:
        committer._is_shared = True
        return await asyncio.gather(*map(committer.commit, units), return_exceptions=True)

    return asyncio.run(commit_all())


@pytest.fixture
def crashed(house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]) -> House:
    """A folder as it is where the program died with a page that was acknowledged alone."""
    committer = house.open()
    committer.commit_blocking(Unit(records=(record(id="first"),), mails=(mail(id="first"),)))
    with closed_books(committer):
        units = [Unit(records=(record(id=n),), mails=(mail(id=n),)) for n in ("one", "two")]
        assert together(committer, units) == [None, None]
        left = house.run_dir.with_name("crashed")
        shutil.copytree(house.run_dir, left)
    return type(house)(left)


NAMES = ["first", "one", "two"]


def test_acknowledged_before_it_is_entered(crashed: House) -> None:
    """Neither queue nor log knows of it yet, and a start enters it, once."""
    assert crashed.ids() == ["first"]
    for _ in range(2):
        crashed.open().close()
        assert crashed.ids() == NAMES
        assert crashed.rows("SELECT id FROM message ORDER BY number") == [(n,) for n in NAMES]
    assert list((crashed.run_dir / "queue" / "daybook").iterdir()) == []


def test_log_further_than_the_database(
    house: House, crashed: House, caplog: pytest.LogCaptureFixture
) -> None:
    """After the machine died the log may have what the database lost: no line is repeated."""
    until(lambda: house.ids() == NAMES)
    shutil.rmtree(crashed.run_dir / "log")
    shutil.copytree(house.run_dir / "log", crashed.run_dir / "log")
    crashed.open().close()
    assert crashed.ids() == NAMES
    assert len(crashed.rows("SELECT * FROM message")) == 3
    assert "pages of the last run are entered now" in caplog.text


def test_entered_soon(house: House, record: Callable[..., Record]) -> None:
    """By a thread of its own, while clients have their answers; and nothing is left at the end."""
    committer = house.open()
    assert together(committer, [Unit(records=(record(),)) for _ in range(50)]) == [None] * 50
    until(lambda: len(house.ids()) == 50)
    committer.close()
    assert list((house.run_dir / "queue" / "daybook").iterdir()) == []


def test_reports_are_logged_once(house: House, record: Callable[..., Record]) -> None:
    """Whether they come in one page, in several, or alone."""
    committer = house.open()
    units = [Unit(records=(record(type=RecordType.OOB, report={"key": "k"}),)) for _ in range(9)]
    assert together(committer, units) == [None] * 9
    committer.commit_blocking(units[0])
    committer.close()
    assert len(house.ids()) == 1


def test_who_is_alone_comes_behind_what_waits(house: House, record: Callable[..., Record]) -> None:
    """Pages are entered first, so the log keeps the order."""
    committer = house.open()
    together(committer, [Unit(records=(record(id=name),)) for name in ("a", "b")])
    committer._is_shared = False
    committer.commit_blocking(Unit(records=(record(id="c"),)))
    assert house.ids() == ["a", "b", "c"]


def test_change_of_the_queue_is_entered_when_it_is_answered(
    house: House, mail: Callable[..., QueuedMail]
) -> None:
    """Whoever looks into the queue next must not find what is finished."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(), mail())))
    units = [Unit(finished=(EntryKey(1, 0),)), Unit(finished=(EntryKey(2, 0),))]
    assert together(committer, units) == [None, None]
    assert house.rows("SELECT * FROM message") == []


def test_folder_deleted_under_load(
    house: House, mail: Callable[..., QueuedMail], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was acknowledged is still in memory, and all of it is written again."""
    monkeypatch.setattr(daybook, "_LOOK", 0)
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="first"),)))
    with closed_books(committer):
        together(committer, [Unit(mails=(mail(id=name),)) for name in ("a", "b")])
        shutil.rmtree(house.run_dir / "queue")
    together(committer, [Unit(mails=(mail(id=name),)) for name in ("c", "d")])
    found = house.rows("SELECT id FROM message ORDER BY number")
    assert [name for (name,) in found] == ["first", "a", "b", "c", "d"]


def test_limits_count_what_waits(house: House, mail: Callable[..., QueuedMail]) -> None:
    """A page that is not entered takes its room all the same."""
    committer = house.open(limits=Limits(max_messages=3))
    with closed_books(committer):
        found = together(committer, [Unit(mails=(mail(),)) for _ in range(5)])
        assert committer._books.waiting() == (3, 3 * len(mail().content))
        assert committer.depth().messages == 3
    assert [type(each) for each in found] == [type(None)] * 3 + [StorageFullError] * 2
    until(lambda: len(house.rows("SELECT * FROM message")) == 3)
    assert committer._books.waiting() == (0, 0)
    assert committer.depth().messages == 3


def test_pages_are_no_faster_than_the_books(
    house: House, mail: Callable[..., QueuedMail], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where much waits to be entered, the next waits with it."""
    monkeypatch.setattr(commit, "_AHEAD", (1, 1 << 20))
    monkeypatch.setattr(commit, "_PACE", 60.0)
    committer = house.open()
    for names in (("a", "b"), ("c", "d")):
        together(committer, [Unit(mails=(mail(id=name),)) for name in names])
    assert [name for (name,) in house.rows("SELECT id FROM message")] == ["a", "b", "c", "d"]


def test_books_that_cannot_be_written(
    house: House,
    record: Callable[..., Record],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is durable waits, nothing more is accepted, and it goes on by itself."""
    committer = house.open()

    def broken(*_: object) -> None:
        raise OSError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(committer.database, "_usable", broken)
        assert (
            together(committer, [Unit(records=(record(id=name),)) for name in "ab"]) == [None] * 2
        )
        until(lambda: committer._books.is_stuck)
        refused = together(committer, [Unit(records=(record(),)) for _ in range(2)])
        assert [type(each) for each in refused] == [StorageError] * 2
    until(lambda: house.ids() == ["a", "b"])
    committer.commit_blocking(Unit(records=(record(id="after"),)))
    until(lambda: house.ids() == ["a", "b", "after"])
    assert caplog.text.count("nothing can be stored") == 1
    assert "storing works again" in caplog.text


@contextlib.contextmanager
def broken_for(house: House, name: str) -> Iterator[None]:
    """The database takes no mail of that id."""
    path = house.run_dir / "queue" / "spool.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(
            f"CREATE TRIGGER broken BEFORE INSERT ON message WHEN NEW.id = '{name}'"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        yield
        other.execute("DROP TRIGGER broken")


def test_what_cannot_be_entered_is_put_aside(
    house: House,
    record: Callable[..., Record],
    mail: Callable[..., QueuedMail],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was acknowledged: its file and its records are there for a person, the others go on."""
    committer = house.open()
    with broken_for(house, "bad"):
        units = [Unit(records=(record(id=n),), mails=(mail(id=n),)) for n in ("a", "bad", "b")]
        assert together(committer, units) == [None] * 3
        until(lambda: house.ids() == ["a", "b"])
    assert (house.run_dir / "aside" / "bad.eml").read_bytes() == mail().content
    assert "accepted, and cannot be entered" in caplog.text
    assert '"id":"bad"' in caplog.text


def test_what_cannot_be_entered_at_the_start(crashed: House) -> None:
    """It stops no start."""
    with broken_for(crashed, "one"):
        crashed.open().close()
    assert crashed.ids() == ["first", "two"]
    assert [path.name for path in (crashed.run_dir / "aside").iterdir()] == ["one.eml"]


def test_fault_of_who_is_alone_is_not_that_of_pages(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """It is refused, and what waited is entered."""
    committer = house.open()
    with broken_for(house, "bad"):
        together(committer, [Unit(records=(record(id=name),)) for name in "ab"])
        committer._is_shared = False
        with pytest.raises(StorageError, match="broken"):
            committer.commit_blocking(Unit(mails=(mail(id="bad"),)))
    assert house.ids() == ["a", "b"]
    assert not (house.run_dir / "aside").exists()

"""One commit for all that waits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError, StorageFullError, UnwritableError
from kumo_handlers.journal.jsonl import JsonLines
from kumo_handlers.journal.record import Record, RecordType
from kumo_handlers.queue.commit import Committer, Unit
from kumo_handlers.queue.kept import KeptFolder, KeptMail
from kumo_handlers.queue.spool import EntryKey, Limits, Retry
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.queue.queued_mail import QueuedMail

    from .conftest import House


def report(record: Callable[..., Record], key: str) -> Record:
    """An OOB record with that key."""
    return record(type=RecordType.OOB, report={"key": key})


def test_durable_when_committed(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """The record is in the log and the mail in the queue when the call returns."""
    committer = house.open()
    written = record()
    queued = mail(recipients=("b@example.net", "C@Example.ORG"))
    committer.commit_blocking(Unit(records=(written,), mails=(queued,)))
    assert house.ids() == [written.id]
    assert house.rows("SELECT id, size FROM message") == [(queued.id, len(queued.content))]
    assert house.rows("SELECT content FROM content") == [(queued.content,)]
    assert house.rows("SELECT position, address, domain FROM recipient ORDER BY position") == [
        (0, b"b@example.net", "example.net"),
        (1, b"C@Example.ORG", "example.org"),
    ]


def test_awaited_units_share_flushes(house: House, record: Callable[..., Record]) -> None:
    """Two hundred tasks wait at once, each is answered, and each record stands once."""
    committer = house.open()
    records = [record() for _ in range(200)]

    async def commit_all() -> None:
        await asyncio.gather(*(committer.commit(Unit(records=(each,))) for each in records))

    asyncio.run(commit_all())
    until(lambda: sorted(house.ids()) == sorted(each.id for each in records))
    assert house.rows("SELECT COUNT(*) FROM outbox")[0][0] < 100


def test_a_task_that_gave_up_harms_nobody(house: House, record: Callable[..., Record]) -> None:
    """A cancelled task is not answered; the next one is."""
    committer = house.open()

    async def give_up() -> None:
        task = committer.commit(Unit(records=(record(),)))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await committer.commit(Unit(records=(record(),)))

    asyncio.run(give_up())
    until(lambda: len(house.ids()) == 2)


def test_report_is_logged_once(
    house: House, record: Callable[..., Record], caplog: pytest.LogCaptureFixture
) -> None:
    """The same report again, in the same unit, a later one, or a later run, is dropped."""
    committer = house.open()
    with caplog.at_level(logging.DEBUG):
        committer.commit_blocking(Unit(records=(report(record, "k"), report(record, "k"))))
        committer.commit_blocking(Unit(records=(report(record, "k"),)))
    committer.close()
    committer = house.open()
    committer.commit_blocking(Unit(records=(report(record, "k"), report(record, "other"))))
    assert [line["report"]["key"] for line in house.lines()] == ["k", "other"]
    assert caplog.text.count("logged before") == 2


def test_reception_of_a_known_report_is_logged(house: House, record: Callable[..., Record]) -> None:
    """Only what counts a report is dropped: a Reception says that mail came in."""
    committer = house.open()
    for _ in range(2):
        committer.commit_blocking(Unit(records=(record(report={"key": "k"}),)))
    assert len(house.ids()) == 2


def test_key_with_any_bytes(house: House, record: Callable[..., Record]) -> None:
    """A key made of what a stranger wrote cannot stop the commit."""
    committer = house.open()
    for _ in range(2):
        committer.commit_blocking(Unit(records=(report(record, "k\udcff\x00'"),)))
    assert len(house.ids()) == 1


def test_entries_finish_and_wait(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """A message leaves with its last recipient; one that waits has its new state."""
    committer = house.open()
    recipients = ("a@example.net", "b@example.net")
    committer.commit_blocking(Unit(mails=(mail(recipients=recipients), mail(time=1.0))))
    retry = Retry(EntryKey(1, 1), 99.5, 3, 1, "450 later")
    committer.commit_blocking(Unit(finished=(EntryKey(1, 0),), retries=(retry,)))
    assert house.rows(
        "SELECT message, position, due, attempts, duplicates, response FROM recipient"
    ) == [
        (1, 1, 99.5, 3, 1, "450 later"),
        (2, 0, 1.0, 0, 0, None),
    ]
    committer.commit_blocking(Unit(finished=(EntryKey(1, 1),), records=(record(),)))
    assert house.rows("SELECT number FROM message") == [(2,)]
    assert house.rows("SELECT message FROM content") == [(2,)]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [(Limits(max_messages=2), "2 messages"), (Limits(max_bytes=45), "40 bytes")],
)
def test_full_queue(
    house: House,
    record: Callable[..., Record],
    mail: Callable[..., QueuedMail],
    limits: Limits,
    expected: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Over the limit mail is refused, records are not, and there is room again after delivery."""
    committer = house.open(limits=limits)
    for _ in range(2):
        committer.commit_blocking(Unit(mails=(mail(),)))
    with pytest.raises(StorageFullError, match=expected):
        committer.commit_blocking(Unit(mails=(mail(),), records=(record(),)))
    assert caplog.text.count("no room") == 1
    committer.commit_blocking(Unit(records=(record(id="still"),)))
    committer.commit_blocking(Unit(finished=(EntryKey(1, 0),)))
    committer.commit_blocking(Unit(mails=(mail(),)))
    assert house.ids() == ["still"]


def test_limits_count_what_was_there(house: House, mail: Callable[..., QueuedMail]) -> None:
    """A restart does not forget how full the queue is."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(), mail())))
    committer.close()
    committer = house.open(limits=Limits(max_messages=2))
    with pytest.raises(StorageFullError):
        committer.commit_blocking(Unit(mails=(mail(),)))


def test_outbox_is_struck_once_the_log_is_synced(
    house: House, record: Callable[..., Record]
) -> None:
    """Soon after the last commit nothing is held twice."""
    committer = house.open()
    committer.commit_blocking(Unit(records=(record(),)))
    assert house.rows("SELECT COUNT(*) FROM outbox") == [(1,)]
    until(lambda: house.rows("SELECT COUNT(*) FROM outbox") == [(0,)])
    [(_, position)] = house.rows("SELECT sink, position FROM checkpoint")
    [segment] = (house.run_dir / "log").iterdir()
    assert position == f"{segment.name}:{segment.stat().st_size}"


@pytest.mark.parametrize("kept_lines", range(4))
def test_restart_after_a_crash_appends_what_is_missing(
    house: House, record: Callable[..., Record], kept_lines: int
) -> None:
    """However much of the outbox had reached the file, each line stands in it once."""
    committer = house.open()
    early = [record() for _ in range(2)]
    committer.commit_blocking(Unit(records=tuple(early)))
    committer.close()
    committer = house.open()
    late = [record() for _ in range(3)]
    for each in late:
        committer.commit_blocking(Unit(records=(each,)))
    crashed = house.run_dir.with_name("crashed")
    shutil.copytree(house.run_dir, crashed)
    [segment] = (crashed / "log").iterdir()
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: 2 + kept_lines]) + b'{"torn')
    again = type(house)(crashed)
    again.open()
    assert again.ids() == [each.id for each in early + late]
    again.close()


def test_deleted_database_is_written_again(
    house: House, mail: Callable[..., QueuedMail], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing queued is lost with the file, not even with its folder."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="first"),)))
    shutil.rmtree(house.run_dir / "queue")
    committer.commit_blocking(Unit(mails=(mail(id="second"),)))
    assert house.rows("SELECT id FROM message") == [("first",), ("second",)]
    assert "deleted or replaced" in caplog.text


def test_database_deleted_before_the_end(house: House, mail: Callable[..., QueuedMail]) -> None:
    """The same when the file is found missing at the very end."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="first"),)))
    shutil.rmtree(house.run_dir / "queue")
    committer.close()
    assert house.rows("SELECT id FROM message") == [("first",)]


def test_one_program_at_a_time(house: House) -> None:
    """Two programs on one queue would deliver everything twice."""
    house.open()
    with pytest.raises(StorageError, match="in use by another program"):
        house.open()


def test_log_that_cannot_be_written(
    house: House, record: Callable[..., Record], caplog: pytest.LogCaptureFixture
) -> None:
    """What was durable is not refused; what follows is, until the log can be written again."""
    committer = house.open()
    folder = house.run_dir / "log"
    aside = folder.rename(folder.with_name("aside"))
    folder.write_bytes(b"in the way")
    committer.commit_blocking(Unit(records=(record(id="durable"),)))
    with pytest.raises(StorageError):
        committer.commit_blocking(Unit(records=(record(id="refused"),)))
    folder.unlink()
    aside.rename(folder)
    committer.commit_blocking(Unit(records=(record(id="after"),)))
    assert house.ids() == ["durable", "after"]
    assert caplog.text.count("nothing can be stored") == 1
    assert "storing works again" in caplog.text


def test_write_that_fails(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """A database held by somebody else is an error for all who wait, and then it goes on."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="first"),)))
    path = house.run_dir / "queue" / "spool.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON message"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        with pytest.raises(StorageError, match="broken"):
            committer.commit_blocking(Unit(mails=(mail(),), records=(record(),)))
        other.execute("DROP TRIGGER broken")
    committer.commit_blocking(Unit(mails=(mail(id="second"),), records=(record(id="after"),)))
    assert house.rows("SELECT id FROM message") == [("first",), ("second",)]
    assert house.ids() == ["after"]


def test_unit_at_fault_is_refused_alone(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """A unit that cannot be written at all does not take its neighbours with it."""
    committer = house.open()
    held = threading.Event()
    committer.on_queued = lambda: bool(held.wait(5))  # type: ignore[assignment, return-value]

    async def commit_all() -> list[BaseException | None]:
        first = committer.commit(Unit(mails=(mail(),)))
        await asyncio.sleep(0.1)
        others = [
            committer.commit(Unit(records=(record(id=name),), mails=(each,)))
            for name, each in (("a", mail()), ("b", mail(id="\udcff")), ("c", mail()))
        ]
        await asyncio.sleep(0.1)
        held.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, before, broken, after = asyncio.run(commit_all())
    assert (first, before, after) == (None, None, None)
    assert isinstance(broken, UnwritableError)
    assert house.ids() == ["a", "c"]


def test_refused_for_room_stays_refused(house: House, mail: Callable[..., QueuedMail]) -> None:
    """Nor is it stored after all when a neighbour cannot be written and leaves its room."""
    committer = house.open(limits=Limits(max_messages=2))
    held = threading.Event()
    committer.on_queued = lambda: bool(held.wait(5))  # type: ignore[assignment, return-value]

    async def commit_all() -> list[BaseException | None]:
        first = committer.commit(Unit(mails=(mail(id="first"),)))
        await asyncio.sleep(0.1)
        others = [committer.commit(Unit(mails=(mail(id=name),))) for name in ("\udcff", "refused")]
        await asyncio.sleep(0.1)
        held.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, broken, refused = asyncio.run(commit_all())
    assert first is None
    assert isinstance(broken, UnwritableError)
    assert isinstance(refused, StorageFullError)
    assert house.rows("SELECT id FROM message") == [("first",)]


def test_kept_messages(house: House, record: Callable[..., Record]) -> None:
    """A kept message is on disk before its record."""
    committer = house.open()
    kept = KeptMail("abc", b"From nobody\r\n")
    committer.commit_blocking(Unit(records=(record(),), kept=(kept,)))
    assert (house.run_dir / "unparsed" / "abc.eml").read_bytes() == kept.content


def test_kept_message_without_room_refuses_the_unit(
    house: House, record: Callable[..., Record]
) -> None:
    """No record without the message it names."""
    committer = house.open(kept=KeptFolder(house.run_dir / "unparsed", max_files=0))
    with pytest.raises(StorageFullError):
        committer.commit_blocking(Unit(records=(record(),), kept=(KeptMail("abc", b"x"),)))
    assert house.ids() == []


def test_closed_committer(house: House, record: Callable[..., Record]) -> None:
    """After the end nothing is accepted; what was submitted before is durable and struck."""
    committer = house.open()
    written = record()
    committer.commit_blocking(Unit(records=(written,)))
    committer.close()
    committer.close()
    with pytest.raises(StorageError, match="closed"):
        committer.commit_blocking(Unit(records=(record(),)))
    assert house.ids() == [written.id]
    assert house.rows("SELECT COUNT(*) FROM outbox") == [(0,)]


def test_mode_without_flush(house: House, mail: Callable[..., QueuedMail]) -> None:
    """The same path, for measurements."""
    committer = house.open(durable=False)
    committer.commit_blocking(Unit(mails=(mail(id="first"),)))
    committer.close()
    assert house.rows("SELECT id FROM message") == [("first",)]


def test_no_descriptor_is_left_open(house: House, record: Callable[..., Record]) -> None:
    """Opening, failing and closing give back what they took."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        committer = house.open()
        committer.commit_blocking(Unit(records=(record(),)))
        committer.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_no_sink_at_all(
    tmp_path_factory: pytest.TempPathFactory,
    mail: Callable[..., QueuedMail],
    record: Callable[..., Record],
) -> None:
    """Without a log the queue works, and the outbox stays empty."""
    committer = Committer(tmp_path_factory.mktemp("run"), {})
    committer.start()
    committer.commit_blocking(Unit(records=(record(),), mails=(mail(),)))
    committer.close()


def test_sink_that_fails_in_its_own_way(house: House, record: Callable[..., Record]) -> None:
    """Whatever a sink raises, what is durable is acknowledged and given to it later."""

    class Broken(JsonLines):
        is_broken = True

        def append(self, lines: bytes) -> None:
            """Fail until mended."""
            if self.is_broken:
                raise ValueError("broken")
            super().append(lines)

    sink = Broken(house.run_dir / "log")
    committer = Committer(house.run_dir, {"broken": sink})
    committer.start()
    committer.commit_blocking(Unit(records=(record(id="durable"),)))
    with pytest.raises(StorageError, match="broken"):
        committer.commit_blocking(Unit(records=(record(),)))
    sink.is_broken = False
    committer.commit_blocking(Unit(records=(record(id="after"),)))
    committer.close()
    assert house.ids() == ["durable", "after"]


def test_room_is_made_by_what_ends(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """A full queue cannot keep a message from its end, notification included."""
    committer = house.open(limits=Limits(max_messages=1))
    committer.commit_blocking(Unit(mails=(mail(),)))
    ended = Unit(records=(record(),), finished=(EntryKey(1, 0),), mails=(mail(id="told"),))
    committer.commit_blocking(ended)
    assert house.rows("SELECT id FROM message") == [("told",)]


def test_loop_after_loop(house: House, record: Callable[..., Record]) -> None:
    """Each event loop gathers its own."""
    committer = house.open()
    for name in "ab":

        async def commit_one(name: str = name) -> None:
            await committer.commit(Unit(records=(record(id=name),)))

        asyncio.run(commit_one())
    assert house.ids() == ["a", "b"]


def test_closed_while_it_gathers(house: House, record: Callable[..., Record]) -> None:
    """What was not handed in when all is closed is refused, not forgotten."""
    committer = house.open()

    async def close_first() -> None:
        waiting = committer.commit(Unit(records=(record(),)))
        committer.close()
        with pytest.raises(StorageError, match="closed"):
            await waiting
        with pytest.raises(StorageError, match="closed"):
            committer.commit(Unit())

    asyncio.run(close_first())
    assert house.ids() == []

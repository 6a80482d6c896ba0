"""The unit of work, and who waits for it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError
from kumo_handlers.journal.record import RecordType
from kumo_handlers.queue.unit import AwaitedJob, BlockingJob, Unit, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.journal.record import Record


@pytest.mark.parametrize(
    ("kind", "keys"),
    [(RecordType.OOB, ["k"]), (RecordType.FEEDBACK, ["k"]), (RecordType.RECEPTION, [None])],
)
def test_keys_of_reports_alone(
    record: Callable[..., Record], kind: RecordType, keys: list[str | None]
) -> None:
    """Only what counts a report may be logged before."""
    assert BlockingJob(Unit(records=(record(type=kind, report={"key": "k"}),))).keys == keys


def test_lines_are_whole(record: Callable[..., Record]) -> None:
    """One line a record, its line feed the only one."""
    job = BlockingJob(Unit(records=(record(sender="a\n\udcff"), record())))
    assert [line.count(b"\n") for line in job.lines] == [1, 1]
    assert all(line.endswith(b"}\n") for line in job.lines)


def test_a_thread_waits() -> None:
    """Until it is settled, and then raises what went wrong."""
    job = BlockingJob(Unit())
    job.error = StorageError("broken")
    threading.Timer(0.05, settle, [[job]]).start()
    with pytest.raises(StorageError, match="broken"):
        job.wait()


def test_tasks_wait_each_in_its_loop() -> None:
    """Those of one loop are woken together, and each has its own answer."""

    async def wait() -> list[BaseException | None]:
        jobs = [AwaitedJob(Unit()) for _ in range(3)]
        jobs[1].error = StorageError("broken")
        threading.Timer(0.05, settle, [jobs]).start()
        return await asyncio.gather(*(job.future for job in jobs), return_exceptions=True)

    first, second, third = asyncio.run(wait())
    assert first is None
    assert isinstance(second, StorageError)
    assert third is None


def test_loop_that_is_gone() -> None:
    """Nobody is there to be told, and nobody else suffers."""

    async def leave() -> AwaitedJob:
        return AwaitedJob(Unit())

    gone = asyncio.run(leave())
    here = BlockingJob(Unit())
    settle([gone, here])
    here.wait()


def test_closed_loop_keeps_nobody_waiting() -> None:
    """Who waits elsewhere is woken all the same, though one loop ended meanwhile."""

    async def submit() -> AwaitedJob:
        return AwaitedJob(Unit())

    left = asyncio.run(submit())
    waiting = BlockingJob(Unit())

    async def wait() -> None:
        job = AwaitedJob(Unit())
        settle([left, job, waiting])
        await job.future

    asyncio.run(asyncio.wait_for(wait(), 5))
    waiting.wait()

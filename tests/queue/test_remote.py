"""A committer in another process: as if it were here, and refused when it is gone."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError, StorageFullError
from kumo_handlers.queue.remote import RemoteCommitter
from kumo_handlers.queue.spool import Limits
from kumo_handlers.queue.unit import Unit
from kumo_handlers.queue.window import Window
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kumo_handlers.journal.record import Record
    from kumo_handlers.queue.commit import Committer
    from kumo_handlers.queue.queued_mail import QueuedMail
    from kumo_handlers.queue.unit import Job

    from .conftest import House

    Talk = Callable[[RemoteCommitter, Window], Awaitable[None]]


def talk(committer: Committer, talk: Talk, words: list[bytes] | None = None) -> None:
    """Both ends of a line in one loop, until ``talk`` is done."""
    words = [] if words is None else words

    async def main() -> None:
        here, there = socket.socketpair()
        window = Window(committer.take, words.append, lambda: None)
        remote = RemoteCommitter(words.append, lambda: words.append(b"gone"))
        await asyncio.get_running_loop().create_connection(lambda: window, sock=there)
        await remote.open(here)
        try:
            await talk(remote, window)
        finally:
            for end in (remote, window):
                end.hang_up()
            await asyncio.sleep(0.01)

    asyncio.run(main())


def test_committed_over_there(
    house: House, record: Callable[..., Record], mail: Callable[..., QueuedMail]
) -> None:
    """From the loop and from a thread; durable when the call returns, and counted here."""
    counted: list[Job] = []
    written, from_thread, unawaited = record(), record(), record()
    queued = mail()

    async def work(remote: RemoteCommitter, _: Window) -> None:
        remote.on_committed = counted.extend
        unit = Unit(records=(written,), mails=(queued,))
        assert await remote.commit(unit, "the answer") == "the answer"
        assert house.ids() == [written.id]
        await asyncio.to_thread(remote.commit_blocking, Unit(records=(from_thread,)))
        remote.submit(Unit(records=(unawaited,)))
        await asyncio.to_thread(until, lambda: len(counted) == 3)

    talk(house.open(), work)
    assert house.ids() == [written.id, from_thread.id, unawaited.id]
    assert house.rows("SELECT id, content FROM message JOIN content ON number = message") == [
        (queued.id, queued.content)
    ]
    assert [each.unit.records for each in counted] == [(written,), (from_thread,), (unawaited,)]


def test_its_errors_are_ours(house: House, mail: Callable[..., QueuedMail]) -> None:
    """With their class, for the reply, and their text, for the log."""

    async def work(remote: RemoteCommitter, _: Window) -> None:
        await remote.commit(Unit(mails=(mail(),)))
        with pytest.raises(StorageFullError, match="the queue holds 1 messages, its limit"):
            await remote.commit(Unit(mails=(mail(),)))

    talk(house.open(limits=Limits(max_messages=1)), work)


def test_a_committer_that_is_closed(house: House, record: Callable[..., Record]) -> None:
    """Is said to be."""
    committer = house.open()
    committer.close()

    async def work(remote: RemoteCommitter, _: Window) -> None:
        with pytest.raises(StorageError, match="the queue is closed"):
            await remote.commit(Unit(records=(record(),)))

    talk(committer, work)


def test_nobody_at_the_other_end(house: House, record: Callable[..., Record]) -> None:
    """What waits is refused, and what comes later is, too."""
    words: list[bytes] = []
    unit = Unit(records=(record(),))

    async def work(remote: RemoteCommitter, window: Window) -> None:
        window._take = lambda _: None  # it never answers
        waiting = remote.commit(unit)
        await asyncio.sleep(0.01)
        window.hang_up()
        for refused in (waiting, remote.commit(unit)):
            with pytest.raises(StorageError, match="is gone"):
                await refused
        with pytest.raises(StorageError, match="is gone"):
            await asyncio.to_thread(remote.commit_blocking, unit)

    talk(house.open(), work, words)
    assert words == [b"gone"]


def test_before_there_is_a_line(record: Callable[..., Record]) -> None:
    """Nothing can be handed in."""
    remote = RemoteCommitter(lambda _: None, lambda: None)
    with pytest.raises(StorageError, match="is gone"):
        remote.submit(Unit(records=(record(),)))


def test_words_go_both_ways(house: House) -> None:
    """What is not about units is said as it is."""
    words: list[bytes] = []

    async def work(remote: RemoteCommitter, window: Window) -> None:
        remote.say(b"from here")
        window.say(b"from there")
        await asyncio.to_thread(until, lambda: len(words) == 2)

    talk(house.open(), work, words)
    assert sorted(words)[:2] == [b"from here", b"from there"]

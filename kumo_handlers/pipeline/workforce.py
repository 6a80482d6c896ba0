"""Several processes that listen at the same ports, and one that writes: ``workers = N``.

The first process starts the others before it has threads, and listens no more itself. It has the
queue, the log, delivery, shipping and metrics, all of them once, as with one process. A worker
has listeners, rules and handlers, and hands in what it wants committed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline.nursery import Nursery
from kumo_handlers.pipeline.tally import Tally
from kumo_handlers.queue.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.nursery import Arrival, Work
    from kumo_handlers.policy.listener import Listener

_log = logging.getLogger(__name__)
TALLY = 1.0  # seconds between two tallies of a worker
START = 30.0  # seconds until all of them listen


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker says: that it listens, or why it does not, or what it has counted."""

    listens: bool = False
    error: str = ""
    tally: Tally | None = None


RELOAD, STOP = b"reload", b"stop"  # what a worker is told


def shares(listeners: Sequence[Listener], workers: int) -> list[Listener]:
    """The listeners as each of the workers has them: with its share of the connections."""
    if workers == 1:
        return list(listeners)
    return [
        msgspec.structs.replace(each, max_connections=-(-each.max_connections // workers))
        for each in listeners
    ]


class Workforce:
    """The workers, as the first process sees them. Made while there is one thread only.

    ``on_lost`` is called in the loop when the process that forks them has died.
    """

    def __init__(self, installed: Installation, work: Work, on_lost: Callable[[], None]) -> None:
        settings = installed.settings
        self._installed = installed
        self._on_lost = on_lost
        self._is_stopping = False
        self._empty = asyncio.Event()
        self._count = settings.workers
        # the listeners finish within stop_timeout; then a worker has its own end to make
        self._nursery = Nursery(self._count, work, settings.stop_timeout + 5.0)
        self._windows: dict[int, Window] = {}
        self._tallies: dict[int, Tally] = {}
        self._past: list[Tally] = []
        self._listening: set[int] = set()
        self._ready: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._welcome, name="workforce", daemon=True)

    async def start(self) -> None:
        """Return when all of them listen. Raises `ConfigurationError` where one cannot."""
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self._thread.start()
        try:
            await asyncio.wait_for(self._ready, START)
        except TimeoutError:
            raise ConfigurationError("the workers do not begin to listen: see the log") from None

    def tallies(self) -> list[Tally]:
        """What they have counted, up to a second ago."""
        return [*self._past, *self._tallies.values()]

    def reload(self) -> None:
        """Have each of them load the rules again. From any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: there is nobody left
                self._loop.call_soon_threadsafe(self._tell_all, RELOAD)

    async def stop(self) -> None:
        """Return when all of them have ended; what they handed in is committed.

        They are told here too: the process that would end them may be dead.
        """
        self._is_stopping = True
        self._tell_all(STOP)
        await asyncio.to_thread(self._nursery.stop)
        if self._windows:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self._installed.settings.stop_timeout)

    def close(self) -> None:
        """End what was forked, where it was never started."""
        self._nursery.stop()

    def _tell_all(self, word: bytes) -> None:
        for window in self._windows.values():
            window.say(word)

    def _welcome(self) -> None:
        """The thread: each worker that begins gets a window."""
        assert self._loop is not None  # noqa: S101 - it is what start() has just set
        while (arrival := self._nursery.arrival()) is not None:
            asyncio.run_coroutine_threadsafe(self._open_window(arrival), self._loop)
        with suppress(RuntimeError):  # the loop is closed: all has ended
            self._loop.call_soon_threadsafe(self._note_lost)

    def _note_lost(self) -> None:
        if not self._is_stopping:
            _log.critical("the process that starts workers died: no worker would be replaced")
            self._on_lost()

    async def _open_window(self, arrival: Arrival) -> None:
        number, line = arrival
        window = Window(
            self._installed.queue.take,
            lambda said: self._hear(number, said),
            lambda: self._note_gone(number, window),
        )
        self._windows[number] = window
        await asyncio.get_running_loop().create_connection(lambda: window, sock=line)

    def _hear(self, number: int, said: bytes) -> None:
        report = msgspec.msgpack.decode(said, type=Report)
        if report.tally is not None:
            self._tallies[number] = report.tally
        if report.error:
            self._fail(report.error)
        if report.listens:
            self._listening.add(number)
            _log.info("worker %d listens", number)
            if len(self._listening) == self._count and self._ready and not self._ready.done():
                self._ready.set_result(None)

    def _fail(self, error: str) -> None:
        if self._ready and not self._ready.done():
            self._ready.set_exception(ConfigurationError(error))
        else:
            _log.error("a worker cannot listen: %s", error)

    def _note_gone(self, number: int, window: Window) -> None:
        if self._windows.get(number) is window:
            del self._windows[number]
        if tally := self._tallies.pop(number, None):
            self._past.append(tally.closed())
        if not self._windows:
            self._empty.set()

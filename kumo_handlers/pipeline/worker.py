"""The life of one worker: listeners in a process of their own, which has no queue."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline.metrics_endpoint import stations_of
from kumo_handlers.pipeline.tally import Tally
from kumo_handlers.pipeline.workforce import RELOAD, STOP, TALLY, Report
from kumo_handlers.queue.remote import RemoteCommitter

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.reload import Reloader
    from kumo_handlers.smtp.server import Server

_log = logging.getLogger(__name__)


class Worker:
    """Listens with ``servers``, whose sockets are bound already, and commits through a line."""

    def __init__(
        self, installed: Installation, servers: Sequence[Server], reloader: Reloader
    ) -> None:
        self._installed = installed
        self._servers = servers
        self._reloader = reloader
        self._committer = RemoteCommitter(self._hear, self._stop)
        self._stopping = asyncio.Event()

    async def serve(self, line: socket.socket) -> None:
        """Listen until SIGTERM, or until there is nobody who writes."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        await self._committer.open(line)
        self._committer.on_committed = self._installed.counters.committed
        self._installed.hand_in(self._committer)
        self._reloader.start()
        telling = loop.create_task(self._tell())
        try:
            await self._listen()
            await self._stopping.wait()
        finally:
            self._reloader.stop()
            grace = self._installed.settings.stop_timeout
            await asyncio.gather(*(server.stop(grace) for server in self._servers))
            telling.cancel()
            self._say(Report(tally=self._tally()))
            self._committer.hang_up()
            await asyncio.sleep(0)  # a transport closes in the next turn

    async def _listen(self) -> None:
        try:
            for server in self._servers:
                server.share()
                await server.start()
        except ConfigurationError as error:
            self._say(Report(error=str(error)))
            raise
        self._say(Report(listens=True))

    async def _tell(self) -> None:
        """Every second, what there was to count."""
        while True:
            await asyncio.sleep(TALLY)
            self._say(Report(tally=self._tally()))

    def _tally(self) -> Tally:
        return Tally.of(self._installed.counters, stations_of(self._installed, self._servers))

    def _say(self, report: Report) -> None:
        self._committer.say(msgspec.msgpack.encode(report))

    def _hear(self, said: bytes) -> None:
        if said == RELOAD:
            self._reloader.ask()
        elif said == STOP:
            self._stop()

    def _stop(self) -> None:
        """SIGTERM, or the line is cut."""
        self._stopping.set()

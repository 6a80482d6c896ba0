"""One connection to the broker, made again whenever it is lost.

Whoever publishes and whoever takes has a link each: a broker that is short of memory reads no more
from those who publish, and their acknowledgements must not be held up by it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import TYPE_CHECKING

from kumo_handlers import service
from kumo_handlers.broker import topology

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiormq.abc import AbstractChannel, AbstractConnection

    from kumo_handlers.broker.terms import BrokerURL

_log = logging.getLogger(__name__)
_PATIENCE = 15.0  # seconds that connecting, and declaring the queues, may take
_FIRST, _LONGEST = 0.2, 10.0  # seconds between two attempts
_GOODBYE = 2.0  # seconds to close in


class Link:
    """The connection, on the event loop where it is started.

    ``opened`` is called with each new channel, before `channel` has it.
    """

    def __init__(
        self,
        url: BrokerURL,
        purpose: str,
        opened: Callable[[AbstractChannel], Awaitable[None]] | None = None,
    ) -> None:
        self._url = url
        self._purpose = purpose
        self._opened = opened
        self._client = service.client("aiormq", "amqp")
        self._connection: AbstractConnection | None = None
        self._running: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self.channel: AbstractChannel | None = None
        self.up = asyncio.Event()

    def start(self) -> None:
        """Connect, from now on."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let go of the connection: what was taken and not acknowledged goes back."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self._disconnect()

    def drop(self) -> None:
        """The connection is of no use: another one."""
        self._lost.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever the client library raises
                failures += 1
                self._note(failures, error)
                await self._disconnect()
                wait = min(_LONGEST, _FIRST * 2 ** min(failures - 1, 16))
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                continue
            _log.info("%s: connected to %s", self._purpose, self._url)
            failures = 0
            await self._last()
            _log.warning("%s: the connection to %s is lost", self._purpose, self._url)
            await self._disconnect()

    def _note(self, failures: int, error: BaseException) -> None:
        """Say it at first, then seldom."""
        if failures & (failures - 1) == 0:
            _log.error("%s: no connection: %s", self._purpose, self._url.scrubbed(error))

    async def _connect(self) -> None:
        self._lost.clear()
        self._connection = connection = await self._client.connect(self._url.server)
        channel = await connection.channel(publisher_confirms=True)
        await topology.declare(channel, self._url.terms)
        if self._opened is not None:
            await self._opened(channel)
        self.channel = channel
        self.up.set()

    async def _last(self) -> None:
        """Return when the connection, or its channel, is no more."""
        assert self._connection is not None  # noqa: S101 - just made
        assert self.channel is not None  # noqa: S101 - just made
        ends = [self._connection.closing, self.channel.closing]
        dropped = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait([*ends, dropped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            dropped.cancel()

    async def _disconnect(self) -> None:
        self.up.clear()
        connection, self._connection, self.channel = self._connection, None, None
        if connection is not None:
            with suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(connection.close(), _GOODBYE)

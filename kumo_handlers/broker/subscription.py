"""Takes messages from the queues of a worker, as many at a time as it can have in hand."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from kumo_handlers.broker.delivery import Delivery
from kumo_handlers.broker.link import Link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiormq.abc import AbstractChannel, DeliveredMessage

    from kumo_handlers.broker.terms import BrokerURL
    from kumo_handlers.broker.traffic import Traffic

    Take = Callable[[Delivery], Awaitable[None]]

_log = logging.getLogger(__name__)


class Subscription:
    """``take`` is called for each message, in a task of its own, and acknowledges it.

    What it does not acknowledge is handed out again when the connection ends, not before.
    """

    def __init__(self, url: BrokerURL, queues: Sequence[str], take: Take, traffic: Traffic) -> None:
        self._url = url
        self._queues = tuple(queues)
        self._take = take
        self._traffic = traffic
        self._link = Link(url, "taking", self._subscribe)
        self._tags: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take messages, from now on and whenever there is a broker."""
        self._link.start()

    async def stop(self, grace: float) -> None:
        """Take no more, finish what is in hand within ``grace`` seconds, leave the rest."""
        channel = self._link.channel
        for tag in self._tags if channel is not None else ():
            try:
                assert channel is not None  # noqa: S101 - as above
                await channel.basic_cancel(tag, timeout=1.0)
            except Exception as error:  # noqa: BLE001 - whatever the client library raises
                _log.info("taking: the broker is gone: %s", self._url.scrubbed(error))
                break
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        await self._link.stop()

    async def _subscribe(self, channel: AbstractChannel) -> None:
        channel.on_consumer_cancel_callbacks.add(self._cancelled)
        await channel.basic_qos(prefetch_count=self._url.terms.prefetch)
        self._tags.clear()
        for queue in self._queues:
            answer = await channel.basic_consume(queue, partial(self._arrived, queue))
            self._tags.append(str(answer.consumer_tag))

    async def _arrived(self, queue: str, message: DeliveredMessage) -> None:
        """Begin with it. In a task of ours: one of the channel's would end with the channel."""
        delivery = Delivery(queue, message)
        self._traffic.taken += 1
        self._traffic.redelivered += delivery.is_redelivered
        task = asyncio.get_running_loop().create_task(self._carry(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery) -> None:
        try:
            await self._take(delivery)
        except Exception:  # noqa: BLE001 - whatever it is, the others go on
            # It stays unacknowledged, and counts against the delivery limit when it comes again.
            _log.exception("message %s of %s is left unfinished", delivery.name, delivery.queue)

    def _cancelled(self, _: object) -> None:
        """Somebody deleted the queue: it is declared again with the next connection."""
        self._link.drop()

"""Mail to relay, taken from the broker by any worker: attempted as the local queue's is.

What cannot be delivered goes back to the broker with its count of attempts, and waits there for
whoever is first. The records of an attempt are this node's.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from kumo_handlers.broker import encoding
from kumo_handlers.errors import UnwritableError
from kumo_handlers.pipeline.letter import Letter, encoded
from kumo_handlers.pipeline.persistence import persist
from kumo_handlers.pipeline.settlement import merge
from kumo_handlers.queue.backoff import BackOff
from kumo_handlers.queue.courier import Courier
from kumo_handlers.queue.destination import name_of
from kumo_handlers.queue.unit import Unit
from kumo_handlers.queue.verdict import Judge

if TYPE_CHECKING:
    from kumo_handlers.broker.delivery import Delivery
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.onward import Onward
    from kumo_handlers.queue.claim import Claim
    from kumo_handlers.queue.courier import DeliveryOptions
    from kumo_handlers.queue.destination import Relay

    Errand = tuple[Claim, asyncio.AbstractEventLoop, asyncio.Future[Unit]]

_log = logging.getLogger(__name__)


class Carriage:
    """The couriers of a worker, a thread each; the rest is done on the event loop."""

    def __init__(
        self,
        installed: Installation,
        relay: Relay,
        onward: Onward,
        options: DeliveryOptions,
    ) -> None:
        self._installed = installed
        self._relay = relay
        self._onward = onward
        self._options = options
        self._back_off = BackOff(options.back_off)
        self._judge = Judge(
            options.retry, installed.classify, options.ehlo_name or socket.gethostname()
        )
        self._errands: SimpleQueue[Errand | None] = SimpleQueue()
        self._couriers = [
            Courier(relay, options, self._back_off, _mark_nothing) for _ in range(options.workers)
        ]
        self._threads = [
            threading.Thread(target=self._work, args=(courier,), name="relay", daemon=True)
            for courier in self._couriers
        ]

    async def start(self) -> None:
        """Be ready to carry."""
        for thread in self._threads:
            thread.start()

    async def stop(self, grace: float) -> None:
        """Break off what did not end: it is handed out again."""
        del grace  # the subscription has waited
        for courier in self._couriers:
            self._errands.put(None)
            courier.break_off()

    async def take(self, delivery: Delivery) -> None:
        """Try one message. It is acknowledged when what came of it is durable."""
        try:
            letter = encoding.decode(delivery.body, Letter)
        except ValueError as error:
            await self._onward.bury(delivery, delivery.body, f"cannot be read: {error}")
            await delivery.acknowledge()
            return
        claim = letter.claim(is_redelivered=delivery.is_redelivered)
        rest = self._rest_of(claim)
        if rest > 0 and not self._judge.schedule.is_over(claim.created, time.time()):
            await self._onward.put_back(
                delivery, delivery.body, rest, "the server did not answer others"
            )
        else:
            unit = await self._attempt(claim, is_resting=rest > 0)
            await self._settle(delivery, letter, claim, unit)
        await delivery.acknowledge()

    async def _attempt(self, claim: Claim, *, is_resting: bool) -> Unit:
        if is_resting:
            return self._judge.expire(claim, "none, the relay did not answer", time.time())
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Unit] = loop.create_future()
        self._errands.put((claim, loop, future))
        return await future

    async def _settle(self, delivery: Delivery, letter: Letter, claim: Claim, unit: Unit) -> None:
        """What waits, and who is told of a failure, to the broker; then the records to the log."""
        left = letter.after(unit)
        if left is not None and not delivery.is_lost:
            due = max(retry.due for retry in unit.retries)
            reason = "; ".join(retry.response for retry in unit.retries)
            await self._onward.put_back(delivery, encoding.encode(left), due - time.time(), reason)
        for mail in unit.mails:
            await self._onward.send(delivery.queue, partial(encoded, mail), mail.id)
        try:
            await persist(
                f"the log of an attempt at {claim.id}",
                lambda: self._installed.committer.commit(Unit(records=unit.records)),
            )
        except UnwritableError:
            _log.exception("what came of message %s cannot be written: %r", claim.id, unit.records)

    def _rest_of(self, claim: Claim) -> float:
        """How long all of its destinations are left alone yet; 0 where one is not."""
        resting, now = self._back_off.resting(), time.time()
        ends = [resting.get(name_of(self._relay, each.domain), 0.0) for each in claim.entries]
        return max(0.0, min(ends) - now)

    def _work(self, courier: Courier) -> None:
        """A thread that carries."""
        while True:
            try:
                errand = self._errands.get(timeout=self._options.idle)
            except Empty:
                courier.close()
                continue
            if errand is None:
                break
            claim, loop, future = errand
            try:
                resolve = partial(_resolve, future, self._carry(courier, claim))
            except Exception as error:  # noqa: BLE001 - whoever waits raises it
                resolve = partial(_reject, future, error)
            if not loop.is_closed():
                loop.call_soon_threadsafe(resolve)
        courier.close()

    def _carry(self, courier: Courier, claim: Claim) -> Unit:
        """All servers of one message; what it comes to."""
        units = [
            self._judge.conclude(claim, results, server, time.time())
            for results, server in courier.carry(claim)
        ]
        retries = tuple(retry for unit in units for retry in unit.retries)
        merged = merge(units)
        return Unit(records=merged.records, mails=merged.mails, retries=retries)


def _resolve(future: asyncio.Future[Unit], unit: Unit) -> None:
    if not future.done():
        future.set_result(unit)


def _reject(future: asyncio.Future[Unit], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _mark_nothing(_: int) -> None:
    """The broker says of each message whether somebody had it before."""

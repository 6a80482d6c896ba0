"""What a worker does with each message: handlers, commit, and only then its acknowledgement.

A message comes at least once. A worker that loses its connection before the acknowledgement has
it again, or another worker has; the ids, times and keys of all records were settled by the node
that took the message, so that who counts by key counts it once. What a handler fails on waits,
longer each time, and in the end is a dead letter, with the reason in its headers.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from kumo_handlers.broker import encoding
from kumo_handlers.broker.terms import RELAY
from kumo_handlers.errors import UnwritableError
from kumo_handlers.pipeline import chain, letter
from kumo_handlers.pipeline.chain import Handled, Rest
from kumo_handlers.pipeline.consignment import Consignment
from kumo_handlers.pipeline.persistence import persist
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.settlement import settle
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from kumo_handlers.broker.delivery import Delivery
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.onward import Onward

Result = tuple[ReceivedMail, Handled]

_log = logging.getLogger(__name__)
_REMEMBERED: Final = 100_000
_PERMANENT = range(500, 600)


class Work:
    """Used on the event loop. ``threads`` are for the app's own handlers."""

    def __init__(self, installed: Installation, threads: Executor, onward: Onward) -> None:
        self._installed = installed
        self._threads = threads
        self._onward = onward
        self._relay_queue = onward.terms.queue(RELAY)
        self._done: dict[str, None] = {}
        self._in_hand: dict[str, asyncio.Event] = {}

    async def take(self, delivery: Delivery) -> None:
        """Handle one message. It is acknowledged when what came of it is durable."""
        try:
            consignment = encoding.decode(delivery.body, Consignment)
        except ValueError as error:
            await self._set_aside(delivery, error)
            return
        while (other := self._in_hand.get(consignment.id)) is not None:
            await other.wait()  # it came again while it is at work
        finished = self._in_hand[consignment.id] = asyncio.Event()
        try:
            await self._handle(delivery, consignment)
        finally:
            del self._in_hand[consignment.id]
            finished.set()

    async def _handle(self, delivery: Delivery, consignment: Consignment) -> None:
        mails = [mail for mail in consignment.mails() if mail.arrival.id not in self._done]
        self._installed.counters.traffic.repeated += len(consignment.copies) - len(mails)
        results = [(mail, await self._run(mail)) for mail in mails]
        sorted_out = _sort_out(results, is_last=self._onward.is_last(delivery))
        if delivery.is_lost:
            return  # nothing stands yet, and somebody has it again
        try:
            await self._settle(delivery, sorted_out)
        except UnwritableError as error:
            _log.exception("what came of message %s cannot be written", consignment.id)
            await self._put_off(delivery, consignment, f"cannot be written: {error}")
            return
        if buried := sorted_out.buried:
            await self._onward.bury(delivery, _of(consignment, buried), _why(buried))
        again = sorted_out.again
        if again and not delivery.is_lost:
            await self._onward.retry(delivery, _of(consignment, again), _why(again))
        await delivery.acknowledge()

    async def _run(self, mail: ReceivedMail) -> Handled:
        result = chain.begin(mail, self._installed.policy)
        if isinstance(result, Rest):
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._threads, result)
        return result

    async def _settle(self, delivery: Delivery, sorted_out: _SortedOut) -> None:
        """Mail to relay to the broker, then records to the log; a repeat adds to neither."""
        results = [*sorted_out.accepted, *sorted_out.buried]
        if not results:
            return
        mails, handled = [mail for mail, _ in results], [result for _, result in results]
        unit = settle(mails, handled, per_recipient=True).unit
        for mail in unit.mails:
            body = partial(letter.encoded, mail, delivery.is_redelivered)
            await self._onward.send(self._relay_queue, body, mail.id)
        written = Unit(records=unit.records, kept=unit.kept)
        await persist(
            f"the log of {delivery.name}", lambda: self._installed.committer.commit(written)
        )
        # not those of a dead letter: when it is sent again it is to be handled
        self._remember(mail.arrival.id for mail, _ in sorted_out.accepted)

    async def _set_aside(self, delivery: Delivery, error: ValueError) -> None:
        """Nobody here can read it: a newer worker may; what nobody ever can is a dead letter."""
        is_undecodable = isinstance(error, encoding.UndecodableError)
        is_last = is_undecodable or self._onward.is_last(delivery)
        put = self._onward.bury if is_last else self._onward.retry
        await put(delivery, delivery.body, f"cannot be read: {error}")
        await delivery.acknowledge()

    async def _put_off(self, delivery: Delivery, consignment: Consignment, reason: str) -> None:
        """All of it again: the log cannot hold what came of it."""
        put = self._onward.bury if self._onward.is_last(delivery) else self._onward.retry
        await put(delivery, encoding.encode(consignment), reason)
        await delivery.acknowledge()

    def _remember(self, ids: Iterable[str]) -> None:
        """These are durable: should one come again, because its acknowledgement was lost."""
        self._done.update(dict.fromkeys(ids))
        while len(self._done) > _REMEMBERED:
            del self._done[next(iter(self._done))]


class _SortedOut(msgspec.Struct, frozen=True):
    """What came of the recipients of one message."""

    accepted: tuple[Result, ...]
    buried: tuple[Result, ...]
    again: tuple[Result, ...]


def _sort_out(results: Sequence[Result], *, is_last: bool) -> _SortedOut:
    """A 5yz is for good, though nobody is there any more to be told; the rest is tried again."""
    failed = [each for each in results if not each[1].reply.accepts]
    buried = [each for each in failed if is_last or each[1].reply.code in _PERMANENT]
    return _SortedOut(
        tuple(each for each in results if each[1].reply.accepts),
        tuple(buried),
        tuple(each for each in failed if each not in buried),
    )


def _of(consignment: Consignment, results: Sequence[Result]) -> bytes:
    """The message for these recipients alone."""
    return encoding.encode(consignment.only({mail.arrival.id for mail, _ in results}))


def _why(results: Sequence[Result]) -> str:
    """Who failed, and how, for the log and for the headers of a dead letter."""
    told = (
        f"{each.failed_handler or 'refused'} for {mail.To}: {each.reply}" for mail, each in results
    )
    return "; ".join(told)

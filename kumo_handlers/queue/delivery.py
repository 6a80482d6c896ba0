"""Delivers what is queued: one thread sees what is due, several carry it to the relay.

Something queued is tried at once. What cannot be delivered is due again later, and what is to be
logged about an attempt is committed with the entry's new state. A crash between the relay's 250
and that commit delivers once more: at least once, and the records say so.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from kumo_handlers.errors import StorageError, UnwritableError
from kumo_handlers.queue import claim as claims
from kumo_handlers.queue.backoff import BackOff
from kumo_handlers.queue.courier import Courier, DeliveryOptions
from kumo_handlers.queue.destination import name_of
from kumo_handlers.queue.in_flight import InFlight
from kumo_handlers.queue.spool import Retry
from kumo_handlers.queue.unit import Unit
from kumo_handlers.queue.verdict import Judge, drop
from kumo_handlers.reports import classification

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from kumo_handlers.queue.claim import Claim
    from kumo_handlers.queue.commit import Committer
    from kumo_handlers.queue.destination import Relay

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds until a change made by `kumo-handlers queue` is seen
_AHEAD = 8  # claims for each worker: enough that none waits for the database


class Delivery:
    """The threads. Started after the committer, stopped before it.

    ``classify`` gives the `bounce_classification` of a reply; by default, our own rules do.
    """

    def __init__(
        self,
        relay: Relay,
        committer: Committer,
        options: DeliveryOptions | None = None,
        classify: Callable[[str], str] | None = None,
    ) -> None:
        self._relay = relay
        self._committer = committer
        self._options = options or DeliveryOptions()
        self._judge = Judge(
            self._options.retry,
            classify or classification.default().classify,
            self._options.ehlo_name or socket.gethostname(),
        )
        self._back_off = BackOff(self._options.back_off)
        self._in_flight = InFlight(committer.database.path.with_name("in-flight"))
        self._room = self._options.workers * _AHEAD
        self._claimed: dict[int, int] = {}  # numbers of messages, and their sizes
        self._ready: SimpleQueue[Claim | None] = SimpleQueue()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._couriers = [self._courier(slot) for slot in range(self._options.workers)]
        self._threads = [
            threading.Thread(target=self._work, args=(slot,), name=f"deliver-{slot}", daemon=True)
            for slot in range(self._options.workers)
        ]
        self._dispatcher = threading.Thread(target=self._dispatch, name="queue", daemon=True)

    def start(self) -> None:
        """Deliver from now on. Raises `StorageError`."""
        self._mark_left_over()
        self._committer.on_queued = self._wake.set
        for thread in (self._dispatcher, *self._threads):
            thread.start()

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._wake.set()

    def stop(self, grace: float = 10.0) -> None:
        """Finish running transactions, but break them off after ``grace`` seconds."""
        self._stopping.set()
        self._wake.set()
        self._dispatcher.join()
        for _ in self._threads:
            self._ready.put(None)
        end = time.monotonic() + grace
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        for courier in self._couriers:
            courier.break_off()
        end = time.monotonic() + _LOOK
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._in_flight.close()

    def _courier(self, slot: int) -> Courier:
        def before_content(message: int) -> None:
            self._in_flight.mark(slot, message)

        return Courier(self._relay, self._options, self._back_off, before_content)

    def _mark_left_over(self) -> None:
        """What the last run was handing over when it died may have arrived: it is said so."""
        numbers = self._in_flight.left_over()
        with self._committer.database.reading() as connection:
            found = claims.numbered(connection, numbers)
        retries = tuple(
            Retry(claim.key(entry), 0.0, entry.attempts, entry.duplicates + 1, "interrupted")
            for claim in found
            for entry in claim.entries
        )
        if retries:
            log.warning("%d messages may have been delivered just before the end", len(found))
            self._committer.commit_blocking(Unit(retries=retries))
        self._in_flight.clear()

    def _dispatch(self) -> None:
        """The thread that looks what is due."""
        wait = 0.0
        while not self._stopping.is_set():
            self._wake.wait(wait)
            self._wake.clear()
            try:
                with self._committer.database.reading() as connection:
                    wait = self._claim(connection)
            except StorageError as error:
                log.error("the queue cannot be read: %s", error)  # noqa: TRY400 - the reason is all there is
                wait = _LOOK
            except Exception:  # without this thread nothing is delivered, and nobody would know
                log.exception("the queue is not understood")
                wait = _LOOK

    def _claim(self, connection: sqlite3.Connection) -> float:
        """Hand to the workers what is due; how long to wait until the next look."""
        room = self._room - len(self._claimed)
        if room <= 0 or sum(self._claimed.values()) > claims.AT_ONCE:
            return _LOOK
        now = time.time()
        claimed = tuple(self._claimed)
        found = claims.dropped(connection, claimed, room)
        resting = self._resting(connection)
        everything = name_of(self._relay, "")
        if resting:
            oldest = now - self._options.retry.give_up
            found += claims.older_than(connection, oldest, claimed, room)
        if everything not in resting or not everything:
            found += claims.due(connection, now, claimed=claimed, resting=resting, limit=room)
        for claim in {claim.message: claim for claim in found}.values():
            self._claimed[claim.message] = len(claim.content)
            self._ready.put(claim)
        if found:
            return 0.0 if len(found) >= room else _LOOK
        moments = [*resting.values(), claims.next_due(connection, now) or now + _LOOK]
        return min(_LOOK, max(0.001, min(moments) - now))

    def _resting(self, connection: sqlite3.Connection) -> dict[str, float]:
        """The destinations to leave alone, but for those that a person wants tried."""
        resting = self._back_off.resting()
        if not resting:
            return resting
        for domain, moment in claims.asked(connection).items():
            self._back_off.asked(name_of(self._relay, domain), moment)
        return self._back_off.resting()

    def _work(self, slot: int) -> None:
        """A thread that carries."""
        courier = self._couriers[slot]
        while True:
            try:
                claim = self._ready.get(timeout=self._options.idle)
            except Empty:
                courier.close()
                continue
            if claim is None or self._stopping.is_set():
                break
            try:
                self._carry(courier, claim)
            except Exception:  # the next one may be better off
                log.exception("message %s waits for the next start", claim.id)
                continue
            self._in_flight.free(slot)
            del self._claimed[claim.message]
            if len(self._claimed) <= self._room // 2:
                self._wake.set()
        courier.close()

    def _carry(self, courier: Courier, claim: Claim) -> None:
        """One claim, to its end: attempted, and what it came to committed."""
        now = time.time()
        if claim.is_dropped:
            self._commit(claim, drop(claim, now))
        elif self._rests(claim):
            if self._options.retry.is_over(claim.created, now):
                last = "none, the relay did not answer"
                self._commit(claim, self._judge.expire(claim, last, now))
        else:
            for results, server in courier.carry(claim):
                self._commit(claim, self._judge.conclude(claim, results, server, time.time()))

    def _rests(self, claim: Claim) -> bool:
        return all(self._back_off.rests(name_of(self._relay, e.domain)) for e in claim.entries)

    def _commit(self, claim: Claim, unit: Unit) -> None:
        """As long as it takes: what is not written would be delivered again."""
        failures = 0
        while True:
            try:
                self._committer.commit_blocking(unit)
            except UnwritableError:
                if not failures:
                    log.exception("message %s waits, this cannot be written: %r", claim.id, unit)
                unit = self._judge.postpone(claim, unit, time.time())
            except StorageError as error:
                if not failures:
                    log.error("an attempt at message %s is not logged yet: %s", claim.id, error)  # noqa: TRY400 - the reason is all there is
            else:
                if failures:
                    log.warning("the attempt at message %s is logged now", claim.id)
                return
            failures += 1
            if self._stopping.wait(self._options.unwritten.delay(failures)):
                return

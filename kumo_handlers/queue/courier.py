"""One worker's hands: it carries a message to its servers, over one open connection at a time."""

from __future__ import annotations

import itertools
import logging
import socket
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import RelayError
from kumo_handlers.queue.connection import Connection
from kumo_handlers.queue.destination import NoDestination, find, name_of
from kumo_handlers.queue.greeting import Timeouts
from kumo_handlers.queue.schedule import BACK_OFF, UNWRITTEN, RetrySchedule
from kumo_handlers.queue.transaction import Result, broken, transact
from kumo_handlers.queue.verdict import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kumo_handlers.queue.backoff import BackOff
    from kumo_handlers.queue.claim import Claim, Entry
    from kumo_handlers.queue.destination import Destination, Relay

log = logging.getLogger(__name__)

_CLOSING = 421


class DeliveryOptions(msgspec.Struct, frozen=True):
    """How the queue is delivered. Seconds.

    ``retry`` is for a message, ``back_off`` for a server that does not answer, ``unwritten`` for
    an outcome that the disk does not take. A connection is used for so many transactions, and
    closed when it was ``idle`` for so long. A transaction is for so many ``recipients`` at most:
    every server has to take a hundred (RFC 5321, 4.5.3.1.8).
    """

    retry: RetrySchedule = RetrySchedule()
    back_off: RetrySchedule = BACK_OFF
    unwritten: RetrySchedule = UNWRITTEN
    timeouts: Timeouts = Timeouts()
    workers: int = 4
    idle: float = 5.0
    transactions: int = 1000
    recipients: int = 100
    ehlo_name: str = ""


class Courier:
    """Used by one thread; only `break_off` is called from another."""

    def __init__(
        self,
        relay: Relay,
        options: DeliveryOptions,
        back_off: BackOff,
        before_content: Callable[[int], None],
    ) -> None:
        self._relay = relay
        self._options = options
        self._back_off = back_off
        self._before_content = before_content
        self._ehlo_name = options.ehlo_name or socket.gethostname()
        self._connection: Connection | None = None

    def carry(self, claim: Claim) -> Iterator[tuple[list[Result], Server]]:
        """Attempt a claim, transaction by transaction; what each one came to."""
        for name, entries in self._transactions(claim):
            try:
                yield self._attempt(claim, entries, entries[0].domain)
            except RelayError as error:
                self._back_off.failed(name)
                yield broken(entries, error, "4.4.1"), Server(attempt=1, site=self._site())
            except Exception as error:
                log.exception("message %s cannot be tried", claim.id)
                yield broken(entries, error, "4.3.0"), Server(attempt=1)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def break_off(self) -> None:
        """Wait no longer for a reply."""
        if (connection := self._connection) is not None:
            connection.break_off()

    def _site(self) -> str:
        return name_of(self._relay, "")

    def _destination_name(self, entry: Entry) -> str:
        return name_of(self._relay, entry.domain)

    def _transactions(self, claim: Claim) -> Iterator[tuple[str, list[Entry]]]:
        """Who goes together: by the server's name, and no more than it has to take at once.

        Recipients that need SMTPUTF8 go apart, for the others must not depend on who has it.
        """

        def way(entry: Entry) -> tuple[str, bool]:
            return self._destination_name(entry), entry.address.isascii()

        most = self._options.recipients
        for (name, _), group in itertools.groupby(sorted(claim.entries, key=way), way):
            entries = list(group)
            for first in range(0, len(entries), most):
                yield name, entries[first : first + most]

    def _attempt(
        self, claim: Claim, entries: Sequence[Entry], domain: str
    ) -> tuple[list[Result], Server]:
        """One transaction. A connection that had been idle may be dead: then on a new one."""
        destination = find(self._relay, domain)
        if isinstance(destination, NoDestination):
            return [Result(entry, destination.reply) for entry in entries], Server(attempt=1)
        while True:
            connection = self._connected(destination)
            try:
                results = transact(
                    connection, claim, entries, lambda: self._before_content(claim.message)
                )
            except RelayError as error:
                connection.close(politely=False)
                if connection.transactions > 1:
                    continue
                self._back_off.failed(destination.name)
                return broken(entries, error), Server.of(connection)
            self._note(destination, results)
            return results, Server.of(connection)

    def _note(self, destination: Destination, results: Sequence[Result]) -> None:
        """RFC 5321, 3.8: a server that answers 421 is going away, for everybody."""
        if any(result.reply.code == _CLOSING for result in results):
            self._back_off.failed(destination.name)
        else:
            self._back_off.answered(destination.name)

    def _connected(self, destination: Destination) -> Connection:
        """The open connection, where it leads there and is not worn out; else a new one."""
        connection = self._connection
        if connection is not None:
            worn_out = connection.transactions >= self._options.transactions
            if connection.is_open and connection.destination == destination and not worn_out:
                return connection
            self.close()
        options = self._options
        self._connection = Connection(self._relay, destination, options.timeouts, self._ehlo_name)
        return self._connection

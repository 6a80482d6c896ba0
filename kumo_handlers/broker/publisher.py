"""Gives messages to the broker, and waits until it has them on disk."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from kumo_handlers import service
from kumo_handlers.broker.link import Link
from kumo_handlers.errors import StorageError

if TYPE_CHECKING:
    from kumo_handlers.broker.terms import BrokerURL
    from kumo_handlers.broker.traffic import Traffic

_log = logging.getLogger(__name__)
PERSISTENT: Final = 2
CONTENT_TYPE: Final = "application/vnd.kumo-handlers+msgpack"
_PATIENCE = 5.0  # seconds that a start waits for the broker
_SAY = 1.0  # seconds between two words about the same trouble
_LONGEST_REASON = 500
# Headers: tries there were, why it is not done, the queue it was in, who gave it to the broker.
ATTEMPTS: Final = "x-attempts"
REASON: Final = "x-reason"
ORIGIN: Final = "x-origin"


class Publisher:
    """Used on the event loop that starts it. Every method raises `StorageError`."""

    def __init__(self, url: BrokerURL, traffic: Traffic) -> None:
        self.terms = url.terms
        self._url = url
        self._traffic = traffic
        self._link = Link(url, "publishing")
        self._spec = service.client("aiormq", "amqp").spec
        self._said = 0.0

    async def start(self) -> None:
        """Connect, from now on. A broker that is not there soon is no obstacle: mail is 451."""
        self._link.start()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._link.up.wait(), _PATIENCE)

    async def stop(self, grace: float = 0.0) -> None:
        """Let go of the connection."""
        del grace
        await self._link.stop()

    async def publish(self, queue: str, body: bytes, name: str) -> None:
        """Return when a queue has it on disk. ``name`` is the mail's, for people."""
        began = time.monotonic()
        await self._send("", queue, body, name, {})
        self._traffic.confirmed(time.monotonic() - began)

    async def delay(
        self, queue: str, body: bytes, name: str, *, wait: float, attempts: int, reason: str
    ) -> None:
        """Put it where it waits, then goes to ``queue``. ``wait`` is one of the terms'."""
        headers = {ATTEMPTS: attempts, REASON: reason[:_LONGEST_REASON]}
        await self._send(self.terms.waiting(wait), queue, body, name, headers)
        self._traffic.retried += 1

    async def bury(self, queue: str, body: bytes, name: str, *, attempts: int, reason: str) -> None:
        """Put it to the dead letters, where it stays until somebody looks."""
        headers = {ATTEMPTS: attempts, REASON: reason[:_LONGEST_REASON], ORIGIN: queue}
        await self._send(self.terms.dead, queue, body, name, headers)
        self._traffic.dead += 1

    async def _send(
        self, exchange: str, queue: str, body: bytes, name: str, headers: dict[str, Any]
    ) -> None:
        channel = self._link.channel
        if channel is None:
            raise self._refusal("is not connected")
        properties = self._spec.Basic.Properties(
            content_type=CONTENT_TYPE,
            correlation_id=name,
            delivery_mode=PERSISTENT,
            headers=headers,
        )
        try:
            await channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=queue,
                properties=properties,
                mandatory=True,  # what no queue takes is no success
                timeout=self.terms.confirm_timeout,
            )
        except TimeoutError:
            self._link.drop()
            raise self._refusal(f"did not confirm in {self.terms.confirm_timeout:g} s") from None
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # QUIRK: aiormq ends what waits for a connection that closes with this error
            raise self._refusal("closed the connection") from error
        except Exception as error:
            raise self._refusal(f"did not take it: {self._url.scrubbed(error)}") from error

    def _refusal(self, why: str) -> StorageError:
        """The error, and a line in the log: each second, not for each."""
        self._traffic.unconfirmed += 1
        now = time.monotonic()
        if now - self._said >= _SAY:
            self._said = now
            _log.error("nothing can be stored: the broker at %s %s", self._url, why)
        return StorageError(f"the broker at {self._url} {why}")

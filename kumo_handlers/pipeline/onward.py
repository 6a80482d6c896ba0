"""What a worker gives back to the broker: mail to relay, another try, a dead letter.

None of it is given up for want of a broker: the message it came from is acknowledged afterwards.
"""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from kumo_handlers.pipeline.persistence import persist

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.broker.delivery import Delivery
    from kumo_handlers.broker.publisher import Publisher

_log = logging.getLogger(__name__)


class Onward:
    """Each method returns when the broker has it on disk."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.terms = publisher.terms

    async def send(self, queue: str, body: Callable[[bool], bytes], name: str) -> None:
        """Something new. ``body`` is told whether the broker may have it already.

        What it did not confirm it may have stored nevertheless.
        """
        tries = itertools.count()
        await persist(
            f"mail {name}",
            lambda: self._publisher.publish(queue, body(next(tries) > 0), name),
        )

    def is_last(self, delivery: Delivery) -> bool:
        """Whether there is no try after this one."""
        return delivery.attempts >= len(self.terms.retry)

    async def retry(self, delivery: Delivery, body: bytes, reason: str) -> None:
        """It comes again after the wait that its number of tries has."""
        wait = self.terms.retry[delivery.attempts]
        _log.warning("message %s is tried again in %g s: %s", delivery.name, wait, reason)
        await self.put_back(delivery, body, wait, reason)

    async def put_back(self, delivery: Delivery, body: bytes, wait: float, reason: str) -> None:
        """It comes again after ``wait`` seconds, or what of the terms' waits is nearest to it."""
        await persist(
            f"the next try of {delivery.name}",
            lambda: self._publisher.delay(
                delivery.queue,
                body,
                delivery.name,
                wait=self.terms.wait_for(wait),
                attempts=delivery.attempts + 1,
                reason=reason,
            ),
        )

    async def bury(self, delivery: Delivery, body: bytes, reason: str) -> None:
        """It stays among the dead letters until somebody looks."""
        _log.error("message %s is a dead letter: %s", delivery.name, reason)
        await persist(
            f"the dead letter {delivery.name}",
            lambda: self._publisher.bury(
                delivery.queue,
                body,
                delivery.name,
                attempts=delivery.attempts + 1,
                reason=reason,
            ),
        )

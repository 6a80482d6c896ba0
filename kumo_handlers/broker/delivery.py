"""One message that the broker has handed over, until it is acknowledged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kumo_handlers.broker.publisher import ATTEMPTS

if TYPE_CHECKING:
    from aiormq.abc import DeliveredMessage

_log = logging.getLogger(__name__)


class Delivery:
    """``queue`` is the one it came from, ``attempts`` the tries before, ``body`` the message.

    ``is_redelivered``: somebody had it before, and did not say what became of it.
    """

    def __init__(self, queue: str, message: DeliveredMessage) -> None:
        self._message = message
        properties = message.header.properties
        headers = properties.headers or {}
        attempts = headers.get(ATTEMPTS, 0)
        self.queue = queue
        self.body = message.body
        self.name = str(properties.correlation_id or "")
        self.attempts = attempts if isinstance(attempts, int) else 0
        self.is_redelivered = bool(getattr(message.delivery, "redelivered", False))

    @property
    def is_lost(self) -> bool:
        """Whether the broker hands it out again, for the connection it came by is no more."""
        return self._message.channel.is_closed

    async def acknowledge(self) -> None:
        """It is done: the broker may forget it.

        Where the connection was lost meanwhile it comes again, perhaps to another worker.
        """
        tag = self._message.delivery_tag
        assert tag is not None  # noqa: S101 - it was delivered
        try:
            await self._message.channel.basic_ack(tag, wait=False)
        except Exception as error:  # noqa: BLE001 - whatever the client library raises
            _log.info("%s will be delivered again: %s", self.name, type(error).__name__)

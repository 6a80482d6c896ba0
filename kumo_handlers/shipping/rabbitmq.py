"""Records to RabbitMQ: persistent messages to a topic exchange, each confirmed by the broker.

A batch is published at once, in order, on one channel, and has arrived when the broker has
confirmed every message of it. By default a record that no queue wants is not taken for shipped.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kumo_handlers import service
from kumo_handlers.policy.kinds import BOOL
from kumo_handlers.policy.options import Declared
from kumo_handlers.shipping import routing_key
from kumo_handlers.shipping.destination import RefusedError, UnavailableError
from kumo_handlers.shipping.kinds import ROUTING_KEY, WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.service import ServiceURL
    from kumo_handlers.shipping.parcel import Parcel


class RabbitMQOptions(msgspec.Struct, frozen=True):
    """Options of a broker."""

    exchange: Annotated[
        str, Declared(WORD, "amqp, amqps: the topic exchange, made where it is not there")
    ] = "kumo.records"
    routing_key: Annotated[
        str, Declared(ROUTING_KEY, "amqp, amqps: by which the exchange finds queues")
    ] = "{type}.{domain}"
    mandatory: Annotated[
        bool, Declared(BOOL, "amqp, amqps: what no queue wants waits, and is not dropped")
    ] = True


class RabbitMQ:
    """A `Destination` by AMQP 0-9-1."""

    def __init__(self, url: ServiceURL, options: RabbitMQOptions) -> None:
        self._url = url
        self._options = options
        self._library = service.client("aio_pika", "amqp")
        self._connection: Any = None
        self._exchange: Any = None

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """See `Destination.send`."""
        if self._exchange is None:
            await self._connect()
        answers = await asyncio.gather(
            *(self._publish(parcel) for parcel in parcels), return_exceptions=True
        )
        for taken, answer in enumerate(answers):
            if isinstance(answer, BaseException):
                raise self._error(answer, taken)

    async def close(self) -> None:
        """See `Destination.close`."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _connect(self) -> None:
        library = self._library
        self._connection = await library.connect(
            self._url.text, client_properties={"connection_name": "kumo_handlers shipping"}
        )
        try:
            channel = await self._channel()
            # whoever may publish need not be allowed to declare
            self._exchange = await channel.get_exchange(self._options.exchange)
        except library.exceptions.ChannelNotFoundEntity:  # which has closed the channel
            channel = await self._channel()
            self._exchange = await channel.declare_exchange(
                self._options.exchange, library.ExchangeType.TOPIC, durable=True
            )

    async def _channel(self) -> Any:  # noqa: ANN401 - the library is imported when it is needed
        return await self._connection.channel(publisher_confirms=True, on_return_raises=True)

    async def _publish(self, parcel: Parcel) -> None:
        """One message, confirmed. Those that are begun first are sent first."""
        library, key = self._library, routing_key.fill(self._options.routing_key, parcel.fields)
        message = library.Message(
            parcel.line,
            content_type="application/json",
            delivery_mode=library.DeliveryMode.PERSISTENT,
            message_id=parcel.key,
            type=parcel.head.type,
            timestamp=int(parcel.logged),
            app_id="kumo_handlers",
        )
        await self._exchange.publish(message, key, mandatory=self._options.mandatory)

    def _error(self, error: BaseException, taken: int) -> BaseException:
        """What it means for the batch that a message, with ``taken`` before it, has failed."""
        errors = self._library.exceptions
        if isinstance(error, errors.PublishError):
            return UnavailableError(f"no queue is bound for {error.frame.routing_key}", taken=taken)
        if isinstance(error, errors.DeliveryError):
            return UnavailableError("the broker has no room for a message", taken=taken)
        if isinstance(error, errors.ChannelPreconditionFailed):  # it is too large, say
            return RefusedError(str(error))
        if isinstance(error, Exception):
            return UnavailableError(f"{type(error).__name__}: {error}", taken=taken)
        return error

"""Records to a real RabbitMQ, which is killed in the middle."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aio_pika
import pytest

from kumo_handlers.shipping import shipment, state
from kumo_handlers.shipping.parcel import parcel
from kumo_handlers.shipping.patience import Patience
from kumo_handlers.shipping.shipper import Shipper

from ..servers.rabbitmq import PASSWORD, Broker  # noqa: TID252 - the tests' own broker
from .conftest import NOON, Log, line, until

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage

SETTLED = 1.0  # seconds: RabbitMQ that is killed forgets a younger binding


class Exchange:
    """An exchange of one test, with a durable queue bound to it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.name = f"test.{uuid4().hex}"

    def shipper(self, log: Log, url: str | None = None, **more: Any) -> Shipper:
        """To this exchange."""
        table = {"url": url or self.broker.url, "name": "broker", "exchange": self.name}
        (read,) = shipment.read([table | more])
        return Shipper(log.run_dir, read, read.open(), Patience(0.05, 0.2))

    def ship(self, log: Log, **more: Any) -> state.State:
        """All there is."""
        asyncio.run(self.shipper(log, **more).run(drain=True))
        return state.load(log.run_dir / "ship", "broker")

    async def bind(self, *keys: str, limit: int | None = None) -> None:
        """Have a queue that takes what has one of these keys."""
        connection = await aio_pika.connect(self.broker.url)
        async with connection:
            channel = await connection.channel()
            made = await channel.declare_exchange(self.name, "topic", durable=True)
            full = {"x-max-length": limit, "x-overflow": "reject-publish"} if limit else {}
            queue = await channel.declare_queue(self.name, durable=True, arguments=full)
            for key in keys:
                await queue.bind(made, key)

    async def taken(self) -> list[AbstractIncomingMessage]:
        """What is in the queue, in its order; it is empty then."""
        found = []
        connection = await aio_pika.connect(self.broker.url)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(self.name, passive=True)
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                found.append(message)
        return found


@pytest.fixture
def exchange(rabbitmq: Broker) -> Exchange:
    """A new one."""
    return Exchange(rabbitmq)


def test_a_message(log: Log, exchange: Exchange) -> None:
    """Persistent, told by the record's key, addressed by its fields."""
    log.write(line(1, type="OOB", recipient="a@dest.example"))
    asyncio.run(exchange.bind("OOB.#"))
    assert exchange.ship(log).shipped == 1
    (message,) = asyncio.run(exchange.taken())
    assert message.body == line(1, type="OOB", recipient="a@dest.example")
    assert message.message_id == parcel(message.body).key
    assert message.routing_key == "OOB.dest.example"
    assert (message.content_type, message.delivery_mode) == ("application/json", 2)
    assert (message.type, message.app_id) == ("OOB", "kumo_handlers")
    assert message.timestamp is not None
    assert message.timestamp.timestamp() == NOON + 1


def test_its_own_routing_key(log: Log, exchange: Exchange) -> None:
    """As the entry says."""
    log.write(line(1))
    asyncio.run(exchange.bind("mail.node.Delivery"))
    exchange.ship(log, routing_key="mail.{nodeid}.{type}")
    assert len(asyncio.run(exchange.taken())) == 1


def test_in_order(log: Log, exchange: Exchange) -> None:
    """Batch after batch."""
    lines = [*map(line, range(1200))]
    log.write(*lines)
    asyncio.run(exchange.bind("#"))
    exchange.ship(log)
    assert [message.body for message in asyncio.run(exchange.taken())] == lines


def test_what_no_queue_wants_waits(log: Log, exchange: Exchange) -> None:
    """Until one is bound: the exchange is made, and what is missing is said."""
    log.write(line(1))

    async def bound_later() -> list[AbstractIncomingMessage]:
        shipping = asyncio.ensure_future(exchange.shipper(log).run(drain=True))
        await asyncio.sleep(1.2)
        found = state.load(log.run_dir / "ship", "broker")
        assert found.error == "no queue is bound for Delivery.dest.example"
        await exchange.bind("#")
        await asyncio.wait_for(shipping, 20)
        return await exchange.taken()

    assert len(asyncio.run(bound_later())) == 1


def test_what_no_queue_wants_is_dropped_where_that_is_asked_for(
    log: Log, exchange: Exchange
) -> None:
    """As a topic exchange does."""
    log.write(line(1))
    assert exchange.ship(log, mandatory=False).failures == 0


def test_a_queue_that_is_full(log: Log, exchange: Exchange) -> None:
    """What is not confirmed comes again when there is room; others may have overtaken it."""
    lines = [*map(line, range(20))]
    log.write(*lines)

    async def emptied() -> list[bytes]:
        await exchange.bind("#", limit=8)
        shipping = asyncio.ensure_future(exchange.shipper(log).run(drain=True))
        found: list[bytes] = []
        while not shipping.done():
            await asyncio.sleep(0.1)
            found += [message.body for message in await exchange.taken()]
        await shipping
        return found + [message.body for message in await exchange.taken()]

    arrived = asyncio.run(asyncio.wait_for(emptied(), 30))
    assert set(arrived) == set(lines)


# A connection that was cut while it was being made is left to the collector by the library.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_broker_dies(log: Log, exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    """By kill -9, in the middle; later it is back: nothing missing, first arrivals in order."""
    lines = [*map(line, range(3000))]
    log.write(*lines[:2000])

    async def dies_and_returns() -> list[bytes]:
        await exchange.bind("#")
        await asyncio.sleep(SETTLED)
        url = exchange.broker.password_url
        shipping = asyncio.ensure_future(exchange.shipper(log, url).run(drain=True))
        await until(lambda: state.load(log.run_dir / "ship", "broker").updated)
        before = exchange.broker.pid
        await asyncio.to_thread(exchange.broker.kill)
        assert exchange.broker.pid == 0
        log.write(*lines[2000:])
        await asyncio.to_thread(exchange.broker.start)
        assert exchange.broker.pid != before
        await asyncio.wait_for(shipping, 60)
        return [message.body for message in await exchange.taken()]

    arrived = asyncio.run(dies_and_returns())
    gc.collect()
    assert list(dict.fromkeys(arrived)) == lines
    assert "broker takes no records" in caplog.text
    assert PASSWORD not in caplog.text

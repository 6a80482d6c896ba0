"""What no worker could do: looked at, and sent through the handlers again.

A letter that is looked at is not taken: it stays where it is, for the connection ends without a
word about it. One that is sent again is acknowledged when its queue has it on disk, so it may come
twice and is never lost.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers import service
from kumo_handlers.broker.publisher import ATTEMPTS, CONTENT_TYPE, PERSISTENT, REASON
from kumo_handlers.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from aiormq.abc import AbstractChannel, DeliveredMessage

    from kumo_handlers.broker.terms import BrokerURL

_PATIENCE = 15.0  # seconds for each step
_MOVED = "too many workers went down with it"


class DeadLetter(msgspec.Struct, frozen=True):
    """One of them. ``queue`` is where it came from, and where it goes when it is sent again."""

    id: str
    queue: str
    attempts: int
    size: int
    reason: str


async def look(url: BrokerURL, most: int) -> tuple[list[DeadLetter], int]:
    """The first of them, and how many there are. Raises `StorageError`."""
    async with _channel(url) as channel:
        there = await _count(channel, url)
        return [_read(each) async for each in _letters(channel, url, min(there, most))], there


async def send_again(url: BrokerURL, ids: Collection[str] | None) -> list[str]:
    """Those of these ids, or all there are; the ids of what was sent. Raises `StorageError`."""
    sent: list[str] = []
    async with _channel(url) as channel:
        async for letter in _letters(channel, url, await _count(channel, url)):
            name = _read(letter).id
            if ids is None or name in ids:
                await _send(channel, url, letter)
                sent.append(name)
    return sent


@asynccontextmanager
async def _channel(url: BrokerURL) -> AsyncIterator[AbstractChannel]:
    client = service.client("aiormq", "amqp")
    connection = None
    try:
        async with asyncio.timeout(_PATIENCE):
            connection = await client.connect(url.server)
            channel = await connection.channel(publisher_confirms=True)
        yield channel
    except Exception as error:
        raise StorageError(f"the broker at {url}: {url.scrubbed(error)}") from error
    finally:
        if connection is not None:
            with suppress(Exception):
                await asyncio.wait_for(connection.close(), _PATIENCE)


async def _count(channel: AbstractChannel, url: BrokerURL) -> int:
    """How many there are. The library's error where no app has ever declared the queue."""
    answer = await channel.queue_declare(url.terms.dead, passive=True, timeout=_PATIENCE)
    return answer.message_count or 0


async def _letters(
    channel: AbstractChannel, url: BrokerURL, count: int
) -> AsyncIterator[DeliveredMessage]:
    for _ in range(count):
        letter = await channel.basic_get(url.terms.dead, timeout=_PATIENCE)
        if not letter.delivery_tag:
            return
        yield letter


def _read(letter: DeliveredMessage) -> DeadLetter:
    properties = letter.header.properties
    headers = properties.headers or {}
    attempts = headers.get(ATTEMPTS, 0)
    return DeadLetter(
        id=str(properties.correlation_id or ""),
        queue=letter.routing_key or "",
        attempts=attempts if isinstance(attempts, int) else 0,
        size=len(letter.body),
        reason=str(headers.get(REASON, _MOVED)),
    )


async def _send(channel: AbstractChannel, url: BrokerURL, letter: DeliveredMessage) -> None:
    """To the queue it came from, as if it had never been tried."""
    spec = service.client("aiormq", "amqp").spec
    tag, queue = letter.delivery_tag, letter.routing_key
    assert tag is not None  # noqa: S101 - it was delivered
    await channel.basic_publish(
        letter.body,
        exchange="",
        routing_key=queue or "",
        properties=spec.Basic.Properties(
            content_type=CONTENT_TYPE,
            correlation_id=letter.header.properties.correlation_id,
            delivery_mode=PERSISTENT,
        ),
        mandatory=True,  # what no queue takes stays here
        timeout=url.terms.confirm_timeout,
    )
    await channel.basic_ack(tag, wait=True)

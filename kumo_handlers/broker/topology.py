"""The queues there have to be, declared by whoever comes first, and by everyone again.

All are quorum queues: what they confirm is on the disks of a majority of the broker's nodes. A
message that waits is in a queue in which all wait for the same time, and goes from there, by its
routing key, to where it came from: a queue in which each has a time of its own would let a long
wait hold up short ones. What leaves a queue by itself (a wait that is over, a message that took
down too many workers) is moved *at least once*: RabbitMQ's default would lose it where the broker
is killed in between, and needs ``reject-publish`` to be told otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kumo_handlers.broker.terms import RELAY

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

    from kumo_handlers.broker.terms import Terms

_QUORUM: Final = {"x-queue-type": "quorum"}
_SAFELY: Final = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


async def declare(channel: AbstractChannel, terms: Terms) -> None:
    """Declare all of it. Raises the client library's error where a queue is there, but other."""
    await _declare_with_exchange(channel, terms.dead, {})
    for wait in terms.retry:
        back = {"x-dead-letter-exchange": "", "x-message-ttl": int(wait * 1000), **_SAFELY}
        await _declare_with_exchange(channel, terms.waiting(wait), back)
    limits = {
        "x-delivery-limit": terms.delivery_limit,
        "x-dead-letter-exchange": terms.dead,
        **_SAFELY,
    }
    for name in (*terms.queues, RELAY):
        await _declare_queue(channel, terms.queue(name), limits)


async def _declare_with_exchange(
    channel: AbstractChannel, name: str, arguments: dict[str, Any]
) -> None:
    """A queue that gets whatever is published to its exchange, whatever the routing key says."""
    await channel.exchange_declare(name, exchange_type="fanout", durable=True)
    await _declare_queue(channel, name, arguments)
    await channel.queue_bind(name, name)


async def _declare_queue(channel: AbstractChannel, name: str, arguments: dict[str, Any]) -> None:
    await channel.queue_declare(name, durable=True, arguments=_QUORUM | arguments)

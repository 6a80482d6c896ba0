"""A broker that does not confirm: nothing is ever said to be stored."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiormq
import pytest

from kumo_handlers.broker import terms
from kumo_handlers.broker.publisher import Publisher
from kumo_handlers.broker.traffic import Traffic
from kumo_handlers.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

URL = terms.read("amqp://user:geheim@127.0.0.1:1/?confirm_timeout=0.1")


class Channel:
    """A channel that answers a publication in one way."""

    def __init__(self, answer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._answer = answer
        self.published: list[dict[str, Any]] = []

    async def basic_publish(self, body: bytes, *, timeout: float, **said: Any) -> None:  # noqa: ASYNC109 - aiormq's
        """Note it, and answer."""
        self.published.append({"body": body, **said})
        async with asyncio.timeout(timeout):
            await self._answer()


async def confirm() -> None:
    """As a broker does that has it on disk."""


async def nack() -> None:
    """As one that could not store it."""
    raise aiormq.DeliveryError(None, aiormq.spec.Basic.Nack(1))


async def silence() -> None:
    """As one that is short of memory, or gone."""
    await asyncio.sleep(60)


async def close() -> None:
    """As aiormq says it to whoever waits when the connection closes."""
    raise asyncio.CancelledError


async def quote() -> None:
    """As a library that tells where it was connected to."""
    raise OSError(f"cannot write to {URL.server}")


def publishing(
    channel: Channel | None, observe: Callable[[float], None] = lambda _: None
) -> tuple[Publisher, Traffic]:
    """A publisher on that channel."""
    traffic = Traffic(observe)
    publisher = Publisher(URL, traffic)
    publisher._link.channel = channel  # type: ignore[assignment]
    return publisher, traffic


def test_what_is_confirmed() -> None:
    """Persistent, mandatory, to the queue; and counted with its time."""
    channel = Channel(confirm)
    times: list[float] = []
    publisher, traffic = publishing(channel, times.append)
    asyncio.run(publisher.publish("q", b"body", "m1"))
    (said,) = channel.published
    assert (said["routing_key"], said["mandatory"]) == ("q", True)
    assert said["properties"].delivery_mode == 2
    assert (traffic.published, len(times)) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (nack, "did not take it"),
        (silence, "did not confirm in 0.1 s"),
        (close, "closed the connection"),
        (quote, r"did not take it: .*\*\*\*"),
    ],
)
def test_what_is_not_confirmed(
    answer: Callable[[], Coroutine[Any, Any, None]], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that becomes 451; the reason is in the log, without the password."""
    publisher, traffic = publishing(Channel(answer))
    with pytest.raises(StorageError, match=why) as caught, caplog.at_level(logging.ERROR):
        asyncio.run(publisher.publish("q", b"body", "m1"))
    assert (caught.value.reply_code, traffic.published, traffic.unconfirmed) == (451, 0, 1)
    assert "nothing can be stored" in caplog.text
    assert "geheim" not in caplog.text + str(caught.value)


def test_no_broker() -> None:
    """At once, not after a while."""
    publisher, _ = publishing(None)
    with pytest.raises(StorageError, match="is not connected"):
        asyncio.run(publisher.publish("q", b"body", "m1"))


def test_being_cancelled_is_no_refusal() -> None:
    """The listener waits no longer: that is not the broker's doing."""
    publisher, traffic = publishing(Channel(silence))

    async def give_up() -> None:
        async with asyncio.timeout(0.02):
            await publisher.publish("q", b"body", "m1")

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    assert traffic.unconfirmed == 0

"""Records by HTTP, to a server that is not always well."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.shipping import refusals, shipment, state
from kumo_handlers.shipping.destination import RefusedError, UnavailableError
from kumo_handlers.shipping.parcel import parcel
from kumo_handlers.shipping.patience import Patience
from kumo_handlers.shipping.shipper import Shipper

from .conftest import Log, line
from .webhook_server import WebhookServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.shipping.shipment import Shipment

SIGNED = {"secret": "hush", "headers": {"Authorization": "Bearer t"}}


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    """One that runs."""
    with WebhookServer() as running:
        yield running


def entry(server: WebhookServer, **more: Any) -> Shipment:
    """The entry of the setting that leads to it."""
    (read,) = shipment.read([{"url": server.url, "name": "hook"} | more])
    return read


def send(server: WebhookServer, *numbers: int, **more: Any) -> None:
    """One batch, once."""

    async def once() -> None:
        webhook = entry(server, **more).open()
        try:
            await webhook.send([parcel(line(number)) for number in numbers])
        finally:
            await webhook.close()

    asyncio.run(once())


def ship(server: WebhookServer, log: Log, **more: Any) -> state.State:
    """All there is."""
    wanted = entry(server, **more)
    shipper = Shipper(log.run_dir, wanted, wanted.open(), Patience(0.001, 0.001))
    asyncio.run(shipper.run(drain=True))
    return state.load(log.run_dir / "ship", "hook")


def test_a_batch(server: WebhookServer) -> None:
    """JSON lines, as they are in the log, with what the documentation says of its fields."""
    send(server, 1, 2, **SIGNED)
    ((head, body),) = server.posts
    assert body == line(1) + b"\n" + line(2) + b"\n"
    assert head["content-type"] == "application/x-ndjson"
    assert head["authorization"] == "Bearer t"
    timestamp = head["x-kumo-timestamp"]
    assert abs(int(timestamp) - time.time()) < 60
    expected = hmac.new(b"hush", timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert head["x-kumo-signature"] == f"sha256={expected}"
    assert len(head["idempotency-key"]) == 32


def test_without_a_secret(server: WebhookServer) -> None:
    """Nothing is signed; and a batch that is sent again has the same key."""
    send(server, 1)
    send(server, 1)
    send(server, 2)
    assert "x-kumo-signature" not in server.posts[0].head
    keys = [post.head["idempotency-key"] for post in server.posts]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ("500 Oh", None),
        ("401 Who", None),
        ("404 Gone", None),
        ("302 There\r\nLocation: http://127.0.0.1:1/", None),
        ("429 Slow\r\nRetry-After: 7", 7.0),
        ("503 Later\r\nRetry-After: soon", None),
        ("503 Later\r\nRetry-After: DATE", 900.0),
    ],
)
def test_not_now(server: WebhookServer, answer: str, wait: float | None) -> None:
    """What is wrong with the server, or its address, is no reason to give a record up."""
    server.script = [answer.replace("DATE", formatdate(time.time() + 900, usegmt=True))]
    with pytest.raises(UnavailableError, match=answer.partition("\r")[0]) as caught:
        send(server, 1)
    assert caught.value.wait == pytest.approx(wait, abs=60)
    assert len(server.posts) == 1


@pytest.mark.parametrize("answer", ["400 Bad", "413 Long", "415 What", "422 No"])
def test_never(server: WebhookServer, answer: str) -> None:
    """What is wrong with the content."""
    server.script = [answer]
    with pytest.raises(RefusedError, match=answer):
        send(server, 1)


def test_it_fails_in_every_way(server: WebhookServer, log: Log) -> None:
    """And everything arrives, in order, nothing twice that was answered."""
    lines = [*map(line, range(1300))]
    log.write(*lines)
    server.script = ["500 Oh", "hang", "close", "200 OK", "cut", "429 Slow\r\nRetry-After: 0"]
    found = ship(server, log, timeout=0.6)
    assert server.taken == lines
    assert (found.shipped, found.failures) == (1300, 5)


def test_retry_after_is_waited_for(server: WebhookServer, log: Log) -> None:
    """Not the short time that would come next."""
    log.write(line(1))
    server.script = ["503 Later\r\nRetry-After: 1"]
    begun = time.monotonic()
    ship(server, log)
    assert 1.0 <= time.monotonic() - begun < 3.0
    assert server.taken == [line(1)]


def test_a_record_it_cannot_read(server: WebhookServer, log: Log) -> None:
    """The halves of a batch, until it is alone; then the others are there."""
    log.write(*map(line, range(4)))
    # 4, 2 with it, 1 with it; then 1 without it, and the other 2
    server.script = ["422 No", "422 No", "422 No"]
    found = ship(server, log)
    assert server.taken == [*map(line, range(1, 4))]
    assert found.refused == 1
    kept = refusals.path_of(log.run_dir / "ship", "hook").read_bytes()
    assert b"422 No" in kept


def test_nobody_listens(log: Log) -> None:
    """It comes back on the same port, and everything arrives."""
    log.write(line(1))
    with WebhookServer() as server:
        port = server.port

    async def away_and_back() -> list[bytes]:
        wanted = entry(server)
        shipper = Shipper(log.run_dir, wanted, wanted.open(), Patience(0.01, 0.05))
        shipping = asyncio.ensure_future(shipper.run(drain=True))
        await asyncio.sleep(0.15)
        assert not shipping.done()
        with WebhookServer(port) as again:
            await asyncio.wait_for(shipping, 5)
            return again.taken

    assert asyncio.run(away_and_back()) == [line(1)]


def test_tls_is_verified(server: WebhookServer, tmp_path: Any) -> None:
    """A file of certificates that is none is an error, not a reason to trust anybody."""
    nothing = tmp_path / "none.pem"
    nothing.touch()
    with pytest.raises(OSError, match=r"(?i)ssl|x509|no cert|file"):
        send(server, 1, ca_file=str(nothing))

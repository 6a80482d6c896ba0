"""Intakes and workers in processes of their own, and a RabbitMQ between them."""

from __future__ import annotations

import asyncio
import itertools
import smtplib
from typing import TYPE_CHECKING, Any

import aiormq
import pytest

from tests.servers.node import Node
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.rabbitmq import Broker

_numbers = itertools.count(1)
RULES = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "fbl.example.com": {"log_arf": True},
}


class Spread:
    """Nodes that share a broker, and queues that no other test has."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.prefix = f"test{next(_numbers)}"
        self._folder = folder
        self._nodes: list[Node] = []

    def url(self, *options: str) -> str:
        """The setting ``commit``: quick retries, unless the options say something else."""
        given = "&".join(options) or "retry=0.3s,0.5s"
        return f"{self.broker.url}?prefix={self.prefix}&{given}"

    def add(self, kind: str, *options: str, **settings: Any) -> Node:
        """A node that runs."""
        folder = self._folder / f"{kind}{len(self._nodes)}"
        common = {
            "commit": self.url(*options),
            "listener_domains": [RULES],
            "listeners": [{"listen": "127.0.0.1:0", "relay_hosts": []}],
            "stop_timeout": 5,
        }
        node = Node(kind, folder, **(common | settings))
        self._nodes.append(node)
        node.start(wait=False)
        return node

    def close(self) -> None:
        """End what runs."""
        for node in self._nodes:
            node.kill()

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The records of all nodes."""
        return [record for node in self._nodes for record in node.records(kind)]

    def dead(self) -> list[dict[str, Any]]:
        """The headers of each dead letter, which is one no more."""
        return asyncio.run(self._dead())

    async def _dead(self) -> list[dict[str, Any]]:
        connection = await aiormq.connect(self.broker.url)
        channel = await connection.channel()
        found = []
        while (message := await channel.basic_get(f"{self.prefix}.dead", no_ack=True)).delivery_tag:
            found.append(dict(message.header.properties.headers or {}))
        await connection.close()
        return found


@pytest.fixture
def spread(rabbitmq: Broker, tmp_path: Path) -> Iterator[Spread]:
    """Nodes of this test."""
    made = Spread(rabbitmq, tmp_path)
    yield made
    made.close()


def send(port: int, recipient: str, content: bytes, sender: str = "ann@else.example") -> str:
    """Send one message; the reply that settled it."""
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo("client.example")
        client.mail(sender)
        code, text = client.rcpt(recipient)
        if code < 300:
            code, text = client.data(content)
    return f"{code} {text.decode()}"


def accepted_soon(port: int, recipient: str, content: bytes) -> None:
    """Send until it is accepted: a node may not be connected yet."""
    until(lambda: send(port, recipient, content).startswith("250"))

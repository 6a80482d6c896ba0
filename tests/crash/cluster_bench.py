"""Servers, intakes, workers, a relay: everything of a cluster that can be killed and started."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiormq
import click

import kumo_handlers
from kumo_handlers.shipping import fleet, shipment
from tests.ports import free_ports
from tests.servers.node import Node
from tests.servers.postgresql import postgresql
from tests.servers.rabbitmq import rabbitmq

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

RELAY = Path(__file__).parent / "book.py"
PREFIX = "cluster"
DEAD = f"{PREFIX}.dead"
# A handler waits for a database that is being started: for longer than any start takes.
TERMS = f"prefix={PREFIX}&queues=mail,bounces,complaints&retry=0.5s,2s,5s,15s,30s"
RULES = {
    "relay.example": {"relay_to": True},
    "oob.example": {"log_oob": "LogThenDrop"},
    "kept.example": {"log_oob": "LogThenDrop"},
    "fbl.example": {"log_arf": "LogThenDrop"},
}
HANDLERS = kumo_handlers.pipeline(reports=["tests.crash.shared_table", "app.handlers.suppression"])
SETTLED = 1.0  # RabbitMQ notes a new queue half a second after it was declared
PATIENCE = 180.0  # seconds until all queues are empty


class Cluster:
    """``intakes`` and ``workers`` on one RabbitMQ and one PostgreSQL. Leaves nothing running."""

    def __init__(self, folder: Path, intakes: int, workers: int) -> None:
        self.folder = folder
        self.ports = free_ports(intakes)
        self._workers = workers
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def _start(self) -> None:
        self.broker = self._open.enter_context(rabbitmq())
        self.database = self._open.enter_context(postgresql())
        self._relay_port = self._start_relay()
        os.environ["SUPPRESSION"] = self.database.url
        common = {
            "commit": f"{self.broker.url}?{TERMS}",
            "ship": [self.database.url],
            "listener_domains": [RULES],
            "max_segment_size": 200_000,
            "stop_timeout": 20,
        }
        self.intakes = [self._intake(number, common) for number in range(len(self.ports))]
        self.workers = [self._worker(number, common) for number in range(self._workers)]
        for node in self.nodes:
            self._open.callback(node.kill)
            node.start(wait=False)
        for node in self.nodes:
            node.ready()
        time.sleep(SETTLED)

    @property
    def nodes(self) -> list[Node]:
        """All of them."""
        return [*self.intakes, *self.workers]

    @property
    def book(self) -> Path:
        """What the relay has taken."""
        return self.folder / "relayed"

    def _intake(self, number: int, common: dict[str, object]) -> Node:
        listener = {"listen": f"127.0.0.1:{self.ports[number]}", "relay_hosts": ["192.0.2.1"]}
        return Node("receiver", self.folder / f"intake{number}", **common, listeners=[listener])

    def _worker(self, number: int, common: dict[str, object]) -> Node:
        return Node(
            "worker",
            self.folder / f"worker{number}",
            **common,
            handlers=HANDLERS,
            relay_port=self._relay_port,
        )

    def _start_relay(self) -> int:
        relay = subprocess.Popen(
            [sys.executable, str(RELAY), str(self.book)], stdout=subprocess.PIPE
        )
        self._open.callback(relay.wait)
        self._open.callback(relay.kill)
        assert relay.stdout is not None
        self._open.callback(relay.stdout.close)
        return int(relay.stdout.readline())

    def kill(self, kind: str, pause: float) -> None:
        """``kill -9`` of an ``intake``, a ``worker``, ``RabbitMQ`` or ``PostgreSQL``; its start."""
        if kind in ("intake", "worker"):
            node = random.choice(self.intakes if kind == "intake" else self.workers)  # noqa: S311 - no secret
            node.kill()
            time.sleep(pause)
            node.start(wait=False)
            return
        server = self.broker if kind == "RabbitMQ" else self.database
        server.kill()
        time.sleep(pause)
        server.start()

    def drain(self) -> None:
        """Stop when the broker has nothing but dead letters, and the table each record.

        RabbitMQ counts a queue every few seconds: it may say 0 when it was just started. So it is
        asked for a message when nobody else takes any, and what is there has its nodes again.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            self._wait_until_empty(deadline)
            self._stop()
            if not (left := asyncio.run(self._left())):
                break
            if time.monotonic() > deadline:
                raise click.ClickException(f"still on the broker: {left}")
            for node in self.nodes:
                node.start(wait=False)
        for node in self.nodes:
            # the last records were logged while it stopped
            asyncio.run(fleet.ship(node.run_dir, shipment.read(self.database.url), drain=True))

    def _wait_until_empty(self, deadline: float) -> None:
        for node in self.nodes:
            node.ready()
        empty = 0
        while empty < 2 and time.monotonic() < deadline:  # one look is not at all in one moment
            left = [name for name, count in self.queues().items() if count and name != DEAD]
            empty = 0 if left else empty + 1

    def _stop(self) -> None:
        with ThreadPoolExecutor() as pool:
            ends = pool.map(Node.stop, self.nodes)
        for node, status in zip(self.nodes, ends, strict=True):
            if status:
                raise click.ClickException(f"{node.run_dir} ended with {status}")

    async def _left(self) -> list[str]:
        """The queues that have a message, dead letters aside."""
        connection = await aiormq.connect(self.broker.url)
        channel = await connection.channel()
        names = (name for name in self.queues() if name != DEAD)
        found = [name for name in names if (await channel.basic_get(name)).delivery_tag]
        await connection.close()  # what was taken is there again
        return found

    def queues(self) -> dict[str, int]:
        """How many messages each queue has, those that a worker has in hand included."""
        said = self.broker.control("list_queues", "--no-table-headers", "name", "messages")
        pairs = (line.split("\t") for line in said.splitlines() if line.startswith(PREFIX))
        return {name: int(count) for name, count in pairs}

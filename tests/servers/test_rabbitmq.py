"""The RabbitMQ of the tests: it is there, and survives what it is for."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rabbitmq import Broker


def test_it_runs_again_after_it_was_killed(rabbitmq: Broker) -> None:
    """On the same port, with what it had on disk."""
    before = rabbitmq.pid
    rabbitmq.kill()
    assert rabbitmq.pid == 0
    rabbitmq.start()
    assert rabbitmq.pid != before
    with socket.create_connection(("127.0.0.1", rabbitmq.port), 1.0):
        pass

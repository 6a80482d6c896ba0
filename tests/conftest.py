"""Servers for the tests of every wing: each is started once, by the first that asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .servers import postgresql as postgresql_server
from .servers import rabbitmq as rabbitmq_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgresql_server.Server]:
    """A PostgreSQL that runs; whoever kills it starts it again."""
    if why_not := postgresql_server.missing():
        pytest.skip(why_not)
    with postgresql_server.postgresql() as server:
        yield server


@pytest.fixture
def database(postgresql: postgresql_server.Server) -> Iterator[str]:
    """The URL of an empty database on it."""
    with postgresql.database() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[rabbitmq_server.Broker]:
    """A RabbitMQ that runs; whoever kills it starts it again.

    It is one for all tests: each names queues and exchanges of its own.
    """
    if rabbitmq_server.WHY_NOT:
        pytest.skip(rabbitmq_server.WHY_NOT)
    with rabbitmq_server.rabbitmq() as broker:
        yield broker

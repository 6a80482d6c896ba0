"""Servers for the tests of every wing: each is started once, by the first that asks for it.

Where the suite runs in several processes, all who ask for a server that takes long to start are
in one of them. A PostgreSQL takes a second: each process has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .servers import postgresql as postgresql_server
from .servers import rabbitmq as rabbitmq_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_FOR_ALL = ("rabbitmq", "mailhouse")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What stays in one process: who asks for the same of these servers, or is in one file.

    To ask for each test by itself where it is to run takes longer than most of them do.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        wanted = getattr(item, "fixturenames", ())
        file = f"{item.path.parent.name}/{item.path.stem}"
        group = next((name for name in ONE_FOR_ALL if name in wanted), file)
        item.add_marker(pytest.mark.xdist_group(group))


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

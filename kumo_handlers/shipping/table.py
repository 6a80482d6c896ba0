"""The destinations there are, by the scheme of their URLs. To add one, write its module and a row.

A module takes the URL and its own options, and imports its client library when it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kumo_handlers.shipping.postgresql import PostgreSQL, PostgreSQLOptions
from kumo_handlers.shipping.rabbitmq import RabbitMQ, RabbitMQOptions
from kumo_handlers.shipping.webhook import Webhook, WebhookOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from kumo_handlers.service import ServiceURL
    from kumo_handlers.shipping.destination import Destination


class Row(NamedTuple):
    """How a destination is opened, its options, and the library and extra of its client."""

    open: Callable[[ServiceURL, Any], Destination]
    options: type[msgspec.Struct]
    module: str
    extra: str


_RABBITMQ = Row(RabbitMQ, RabbitMQOptions, "aio_pika", "amqp")
_POSTGRESQL = Row(PostgreSQL, PostgreSQLOptions, "psycopg", "postgresql")
_WEBHOOK = Row(Webhook, WebhookOptions, "httpx", "http")

DESTINATIONS: dict[str, Row] = {
    "amqp": _RABBITMQ,
    "amqps": _RABBITMQ,
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "https": _WEBHOOK,
    "http": _WEBHOOK,
}

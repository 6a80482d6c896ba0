"""The destinations there are, by the scheme of their URLs. To add one, write its module and a row.

A module has a class, made of a URL and its own options, that imports its client library when it
is made. It is imported itself when an entry needs it: most installations ship nowhere.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import msgspec

    from kumo_handlers.service import ServiceURL
    from kumo_handlers.shipping.destination import Destination


class Row(NamedTuple):
    """Where a destination is, ``module:class``, and the library and the extra of its client.

    Its options are a Struct beside it, with ``Options`` behind the class's name.
    """

    place: str
    library: str
    extra: str

    @property
    def options(self) -> type[msgspec.Struct]:
        """The options, as they are declared."""
        options: type[msgspec.Struct] = self._found("Options")
        return options

    def open(self, url: ServiceURL, options: dict[str, Any]) -> Destination:
        """The destination. Raises `ConfigurationError` where its client is not installed."""
        made: Destination = self._found()(url, self.options(**options))
        return made

    def _found(self, ending: str = "") -> Any:  # noqa: ANN401 - a class
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name + ending)


_RABBITMQ = Row("kumo_handlers.shipping.rabbitmq:RabbitMQ", "aio_pika", "amqp")
_POSTGRESQL = Row("kumo_handlers.shipping.postgresql:PostgreSQL", "psycopg", "postgresql")
_WEBHOOK = Row("kumo_handlers.shipping.webhook:Webhook", "httpx", "http")

DESTINATIONS: dict[str, Row] = {
    "amqp": _RABBITMQ,
    "amqps": _RABBITMQ,
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "https": _WEBHOOK,
    "http": _WEBHOOK,
}

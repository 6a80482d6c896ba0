"""Where Prometheus asks: ``GET /metrics``, and nothing else, over HTTP.

Off unless `settings.metrics` says where. It tells nothing about mail, but how much there is; who
may ask is decided by where it listens.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem, StorageError
from kumo_handlers.pipeline import metrics
from kumo_handlers.pipeline.metrics import Station
from kumo_handlers.pipeline.tally import together
from kumo_handlers.policy import endpoint
from kumo_handlers.policy.listener import LOOPBACK
from kumo_handlers.shipping import lag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.tally import Tally
    from kumo_handlers.shipping.lag import Lag
    from kumo_handlers.smtp.server import Server

_log = logging.getLogger(__name__)
# Seconds and bytes that a question may take.
_PATIENCE = 5.0
_MOST = 16 * 1024


class MetricsEndpoint:
    """The endpoint of an installation, and of its listeners.

    ``others`` gives what other processes of the installation have counted.
    """

    def __init__(
        self,
        installed: Installation,
        servers: Sequence[Server],
        others: Callable[[], Sequence[Tally]] = tuple,
    ) -> None:
        self._installed = installed
        self._servers = servers
        self._others = others
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 where it does not."""
        return self._server.sockets[0].getsockname()[1] if self._server else 0

    async def start(self) -> None:
        """Listen, where settings say so. Raises `ConfigurationError`."""
        where = self._installed.settings.metrics
        if where is None:
            return
        at = endpoint.parse(where)
        if at.host not in LOOPBACK:
            _log.warning("metrics on %s: whoever reaches that address may read them", where)
        self._installed.committer.on_committed = self._installed.counters.committed
        try:
            self._server = await asyncio.start_server(self._answer, at.host, at.port, limit=_MOST)
        except OSError as error:
            raise ConfigurationError(
                Problem(message=f"cannot listen: {error.strerror}", option="metrics", value=where)
            ) from error
        _log.info("metrics on http://%s/metrics", where)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def page(self) -> str:
        """The page as it is now. Raises `StorageError`."""
        installed = self._installed
        loop = asyncio.get_running_loop()
        depth = await loop.run_in_executor(None, installed.queue.depth)
        counters, stations = together(
            installed.counters, stations_of(installed, self._servers), self._others()
        )
        lags = await loop.run_in_executor(None, self._lags)
        version = installed.policy.version
        return metrics.exposition(counters, stations, depth, version, time.time(), lags)

    def _lags(self) -> list[Lag]:
        """How far each destination of the settings is behind; those that cannot be read are not."""
        settings, lags = self._installed.settings, []
        for shipment in settings.ship:
            try:
                lags.append(lag.of(Path(settings.run_dir), shipment.name, time.time()))
            except (OSError, ValueError) as error:
                _log.warning("no metrics of shipping to %s: %s", shipment.name, error)
        return lags

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question, one answer, and the connection ends."""
        with suppress(OSError, TimeoutError, asyncio.LimitOverrunError, EOFError):
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._response(head))
                await writer.drain()
        writer.close()

    async def _response(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return _http("404 Not Found", "the metrics are at /metrics\n")
        if method not in (b"GET", b"HEAD"):
            return _http("405 Method Not Allowed", "only GET\n")
        try:
            page = await self.page()
        except StorageError as error:
            _log.warning("no metrics: %s", error)
            return _http("503 Service Unavailable", "the queue cannot be read\n")
        return _http("200 OK", page, is_head=method == b"HEAD")


def stations_of(installed: Installation, servers: Sequence[Server]) -> list[Station]:
    """The listeners as they are counted now."""
    return [
        Station(listener.listen, server.connections, server.turnout)
        for listener, server in zip(installed.listeners, servers, strict=False)
    ]


def _http(status: str, text: str, *, is_head: bool = False) -> bytes:
    """A response (RFC 9112, 4) after which the connection ends."""
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {metrics.CONTENT_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if is_head else body)

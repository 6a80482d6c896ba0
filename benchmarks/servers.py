"""The servers that are compared, each in a process of its own: ``python -m benchmarks.servers``."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING

from salmon.routing import Router

import kumo_handlers
from kumo_handlers import boot

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "*.example.com": {"log_oob": True, "log_arf": True, "relay_to": True},
}


def ours(port: int, commit: str) -> None:
    """The whole of it: rules, Router, handlers, records and queue before 250; no relay."""
    with tempfile.TemporaryDirectory() as run_dir:
        settings = SimpleNamespace(
            listener_domains=[RULES],
            listeners=[{"listen": f"127.0.0.1:{port}", "relay_hosts": []}],
            run_dir=run_dir,
            handlers=kumo_handlers.pipeline(),
            commit=commit,
            relay=None,
        )
        receiver = boot.receiver(settings)
        Router.load(settings.handlers)
        receiver.start()
        with suppress(KeyboardInterrupt, SystemExit):
            receiver.join()


def aiosmtpd(port: int) -> None:
    """A mature asyncio library, with a handler that does nothing."""
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - only where it is compared

    class Nothing:
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - its name
            return "250 OK"

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Nothing()), "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


SERVERS: dict[str, Callable[[int], None]] = {
    "ours, durable": lambda port: ours(port, "durable"),
    "ours, not durable": lambda port: ours(port, "none"),
    "aiosmtpd, empty handler": aiosmtpd,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))

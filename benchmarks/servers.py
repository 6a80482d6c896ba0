"""Servers in Python that are compared, each in a process of its own.

``python -m benchmarks.servers NAME PORT``; the names are those of `SERVERS`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from salmon.routing import Router, nolocking, route, stateless
from salmon.server import SMTPReceiver

import kumo_handlers
from kumo_handlers import boot

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "*.example.com": {"log_oob": True, "log_arf": True, "relay_to": True},
}


def ours(port: int, *, inbound: tuple[str, ...] = (), **more: object) -> None:
    """The whole of it: rules, Router, handlers, records and queue before 250; no relay."""
    with tempfile.TemporaryDirectory() as run_dir:
        settings = SimpleNamespace(
            listener_domains=[RULES],
            listeners=[{"listen": f"127.0.0.1:{port}", "relay_hosts": []}],
            run_dir=run_dir,
            handlers=kumo_handlers.pipeline(inbound=list(inbound)),
            relay=None,
        )
        vars(settings).update(more)
        receiver = boot.receiver(settings)
        Router.load(settings.handlers)
        receiver.start()
        with suppress(KeyboardInterrupt, SystemExit):
            receiver.join()


def large(port: int) -> None:
    """Ours, with a million domains from a file that somebody else wrote."""
    ours(port, listener_domains=[str(million_domains())])


def million_domains() -> Path:
    """A TOML file of a million domains; made once."""
    path = Path(tempfile.gettempdir()) / "kumo-handlers-million.toml"
    if not path.exists():
        names = (f"d{number}.example" for number in range(1_000_000))
        path.write_text("".join(f'["{name}"]\nlog_oob = true\n\n' for name in names))
    return path


def salmon(port: int, *, mended: bool = True, domains: int = 0) -> None:
    """Salmon's receiver, and a handler that does nothing; one more for each of so many domains."""
    names = [*(rf"d{number}\.example" for number in range(domains)), r"example\.com"]
    for name in names:

        def take(message: object, **_: str) -> None:
            """Nothing."""

        route(f"(?P<address>.+)@{name}")(stateless(nolocking(take)))
    receiver = SMTPReceiver("127.0.0.1", port)
    if mended:
        kumo_handlers.mend(receiver)
    receiver.start()
    receiver.poller.join()


def aiosmtpd(port: int, maildir: str | None = None) -> None:
    """A mature asyncio library; its handler does nothing, or writes to a Maildir and syncs it."""
    from aiosmtpd.handlers import Mailbox  # noqa: PLC0415 - only where it is compared
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415

    class Nothing:
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - its name
            return "250 OK"

    handler: Any = Mailbox(maildir) if maildir else Nothing()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(handler), "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


def aiosmtpd_maildir(port: int) -> None:
    """aiosmtpd, and its own handler that writes each message to a Maildir and syncs the file."""
    with tempfile.TemporaryDirectory() as folder:
        aiosmtpd(port, f"{folder}/maildir")


BLOCKING_THREADS = 32
SERVERS: dict[str, Callable[[int], None]] = {
    "ours, durable": ours,
    "ours, not durable": partial(ours, commit="none"),
    "ours, a million domains": large,
    "ours, a handler that blocks": partial(
        ours, inbound=("benchmarks.blocking",), handler_threads=BLOCKING_THREADS
    ),
    "Salmon, as shipped": partial(salmon, mended=False),
    "Salmon, backlog and Nagle mended": salmon,
    "Salmon, mended, 1,000 @routes": partial(salmon, domains=1000),
    "aiosmtpd, empty handler": aiosmtpd,
    "aiosmtpd, synced maildir": aiosmtpd_maildir,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))

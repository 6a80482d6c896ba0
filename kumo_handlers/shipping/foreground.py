"""Shipping as what a process does: until a signal ends it, or its standard input."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from kumo_handlers.shipping import fleet, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kumo_handlers.shipping.shipment import Shipment

_AGAIN = 1.0  # seconds


def run(run_dir: Path, shipments: Sequence[Shipment], *, drain: bool) -> None:
    """For a person or a service: said on standard error. Raises `ConfigurationError`."""
    told.speak(shipments, as_json=False)
    asyncio.run(_until_stopped(run_dir, shipments, drain=drain))


def run_for_app(run_dir: Path, shipments: Sequence[Shipment]) -> None:
    """For an app: said to it on standard output; its end is that of standard input."""
    told.speak(shipments, sys.stdout, as_json=True)
    asyncio.run(_until_stopped(run_dir, shipments, follows_input=True))


async def _until_stopped(
    run_dir: Path,
    shipments: Sequence[Shipment],
    *,
    drain: bool = False,
    follows_input: bool = False,
) -> None:
    shipping = asyncio.ensure_future(fleet.ship(run_dir, shipments, drain=drain))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if follows_input:
        loop.add_reader(sys.stdin.fileno(), stopping.set)  # nothing more is said: this is its end
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({shipping, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if follows_input:
        loop.remove_reader(sys.stdin.fileno())
    while not shipping.done():
        # asked again, for a client library that something else befalls on its way out
        shipping.cancel()
        await asyncio.wait({shipping}, timeout=_AGAIN)
    with suppress(asyncio.CancelledError):
        await shipping

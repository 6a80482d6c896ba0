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
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, shipping.cancel)
    if follows_input:
        loop.add_reader(
            sys.stdin.fileno(), shipping.cancel
        )  # nothing more is said: this is its end
    with suppress(asyncio.CancelledError):
        await shipping

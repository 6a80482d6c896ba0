"""The shipping process of an app: ``python -m kumo_handlers.shipping``, orders on standard input.

It ends when its standard input does, so it never outlives the app, however that ends; and on
SIGTERM and SIGINT, which a service's stop, or Ctrl-C, sends to every process there is.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from kumo_handlers.shipping import fleet, orders, told

_NICE = 10  # mail comes first


def main() -> None:
    """Ship until the app is gone."""
    given = orders.decode(sys.stdin.buffer.readline())
    os.nice(_NICE)
    told.speak(given.shipments, sys.stdout, as_json=True)
    with suppress(asyncio.CancelledError):
        asyncio.run(_ship(given))


async def _ship(given: orders.Orders) -> None:
    loop = asyncio.get_running_loop()
    shipping = asyncio.ensure_future(fleet.ship(Path(given.run_dir), given.shipments))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, shipping.cancel)
    loop.add_reader(sys.stdin.fileno(), shipping.cancel)  # nothing more is said: this is its end
    await shipping


if __name__ == "__main__":
    main()

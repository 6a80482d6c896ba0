"""All destinations of an installation, each at its own pace, on one event loop.

For each there is one shipper at a time on a machine: whoever holds its lock. A second one waits,
and goes on where the first had come.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.shipping.shipper import Shipper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kumo_handlers.shipping.shipment import Shipment

log = logging.getLogger(__name__)

TURN = 1.0  # seconds between two tries to have the lock
AGAIN = 5.0  # seconds after what should not have happened


async def ship(run_dir: Path, shipments: Sequence[Shipment], *, drain: bool = False) -> None:
    """Ship to all of them, until it is cancelled; with ``drain``, until nothing is left.

    Raises `ConfigurationError` where a client library is not installed.
    """
    (run_dir / "ship").mkdir(parents=True, exist_ok=True)
    for shipment in shipments:
        shipment.require_client()
    # no TaskGroup: it would pass a second cancellation on to nobody, see `foreground`
    await asyncio.gather(*(_keep_shipping(run_dir, each, drain=drain) for each in shipments))


async def _keep_shipping(run_dir: Path, shipment: Shipment, *, drain: bool) -> None:
    """One destination. What fails here, a full disk say, is tried again: the others go on."""
    while True:
        try:
            with _turn(run_dir / "ship" / f"{shipment.name}.lock") as is_ours:
                if is_ours:
                    await Shipper(run_dir, shipment, shipment.open()).run(drain=drain)
                    return
            await asyncio.sleep(TURN)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - said, and tried again
            log.error("%s: nothing is shipped: %s", shipment.name, error)  # noqa: TRY400 - the reason is all there is
            await asyncio.sleep(AGAIN)


@contextmanager
def _turn(path: Path) -> Iterator[bool]:
    """Whether it is our turn, which it is as long as this lasts."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = True
    except BlockingIOError:
        is_ours = False
    try:
        yield is_ours
    finally:
        os.close(file)

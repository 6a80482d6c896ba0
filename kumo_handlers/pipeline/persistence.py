"""What must not be given up for want of a disk or a broker: tried again until it is done."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from kumo_handlers.errors import StorageError, UnwritableError
from kumo_handlers.queue.schedule import RetrySchedule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
SCHEDULE: Final = RetrySchedule(first=0.2, most=10.0)


async def persist(what: str, act: Callable[[], Awaitable[object]]) -> None:
    """Return when ``act`` did not raise `StorageError`. Raises `UnwritableError`: it never will.

    Whoever takes messages has so many in hand and no more: what waits here is a limit by itself.
    """
    failures = 0
    while True:
        try:
            await act()
        except UnwritableError:
            raise
        except StorageError as error:
            failures += 1
            if failures == 1:
                _log.error("%s waits: %s", what, error)
        else:
            return
        await asyncio.sleep(SCHEDULE.delay(failures))

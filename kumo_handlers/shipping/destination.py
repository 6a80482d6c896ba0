"""What every destination can do, and the two ways in which it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kumo_handlers.errors import KumoHandlersError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.shipping.parcel import Parcel


class UnavailableError(KumoHandlersError):
    """Nothing can be sent now: the same is tried again.

    ``wait`` is what it asked for, in seconds. ``taken`` is how many records, the first of the
    batch, are safe all the same.
    """

    def __init__(self, message: str, wait: float | None = None, taken: int = 0) -> None:
        super().__init__(message)
        self.wait = wait
        self.taken = taken


class RefusedError(KumoHandlersError):
    """It will never take this: one of these records, or all of them, are at fault."""


class Destination(Protocol):
    """Takes records, in order, from one task."""

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Return when all of them are safe there; connect first, where that is needed.

        Raises `UnavailableError`, or `RefusedError`; whatever else it raises counts as the first.
        """

    async def close(self) -> None:
        """Let go of the connection. The next `send` makes a new one."""

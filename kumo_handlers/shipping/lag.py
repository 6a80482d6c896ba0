"""How far each destination is behind, as an app's metrics and the command tell it.

Bytes are those of the log as it is now. So a shipper that is not there at all is seen, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.journal.segment import segments
from kumo_handlers.shipping import state
from kumo_handlers.shipping.state import State

if TYPE_CHECKING:
    from pathlib import Path


class Lag(msgspec.Struct, frozen=True):
    """One destination: its state, and what waits for it: bytes, records, and seconds."""

    state: State
    size: int
    records: int
    seconds: float


def of(run_dir: Path, name: str, now: float) -> Lag:
    """The lag of a destination at ``now``, in seconds since the epoch.

    Raises ValueError for a state that cannot be understood, OSError for a folder that cannot.
    """
    found = state.load(run_dir / "ship", name)
    size = _size_behind(run_dir / "log", found)
    if not size:
        return Lag(found, 0, 0, 0.0)
    # what waits without having been looked at has come since the last look
    oldest = found.oldest or found.updated or now
    return Lag(found, size, max(1, found.behind), max(0.0, now - oldest))


def _size_behind(folder: Path, found: State) -> int:
    place = found.place
    size = 0
    for path in segments(folder):
        if path.name >= place.segment:
            try:
                size += path.stat().st_size
            except FileNotFoundError:
                continue
            if path.name == place.segment:
                size -= min(size, place.offset)
    return size

"""How much mail waits, and for how long: cheap to ask, however much it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

# Numbers are given in the order in which mail comes in.
_OLDEST = "SELECT created FROM message ORDER BY number LIMIT 1"


class Depth(msgspec.Struct, frozen=True):
    """Messages and bytes of content; ``oldest`` is when the first of them came, if there is one."""

    messages: int
    bytes: int
    oldest: float | None


def oldest_mail(connection: sqlite3.Connection) -> float | None:
    """When the oldest message in the queue came in, in seconds since the epoch."""
    row = connection.execute(_OLDEST).fetchone()
    return float(row[0]) if row else None

"""Reports that were logged already: a sender that did not see our reply sends again.

Keys stand in generations. A key is looked for in the last two and written into the newest, so
that it is remembered for at least ``age``, and a whole generation is forgotten at once.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

WEEK = 7 * 86_400.0

_KNOWN = (
    "SELECT key FROM report_key WHERE generation IN (:now, :now - 1)"
    " AND key IN (SELECT value FROM json_each(:keys))"
)
_ADD = "INSERT INTO report_key (generation, key) SELECT :now, value FROM json_each(:keys)"
_FORGET = "DELETE FROM report_key WHERE generation < ? - 1"


class ReportKeys:
    """The keys seen, in the committer's database. ``age`` is in seconds."""

    def __init__(self, age: float = WEEK, clock: Callable[[], float] = time.time) -> None:
        self._age = age
        self._clock = clock
        self._generation = -1

    def seen(self, connection: sqlite3.Connection, keys: Sequence[str]) -> set[str]:
        """Which of these were logged before."""
        wanted = {"now": self._now(), "keys": msgspec.json.encode(keys).decode()}
        return {key for (key,) in connection.execute(_KNOWN, wanted)}

    def add(self, connection: sqlite3.Connection, keys: Sequence[str]) -> None:
        """Remember these, none of which was seen; forget what is too old."""
        generation = self._now()
        added = {"now": generation, "keys": msgspec.json.encode(keys).decode()}
        connection.execute(_ADD, added)
        if generation != self._generation:
            connection.execute(_FORGET, (generation,))
            self._generation = generation

    def _now(self) -> int:
        return int(self._clock() // self._age)

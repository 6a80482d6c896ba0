"""Names for sessions and transactions: short, unique, and in the order of their making."""

from __future__ import annotations

import itertools
import os
import time

_count = itertools.count()


class _Process:
    """What tells this process from another; a fork is another one."""

    mark = ""

    def draw(self) -> None:
        """Draw lots, 48 bits of them: once, for the system takes longer over them than we do."""
        self.mark = os.urandom(6).hex()


_process = _Process()
_process.draw()
os.register_at_fork(after_in_child=_process.draw)


def new_id() -> str:
    """32 hexadecimal digits: milliseconds since 1970, a counter, and 48 random bits.

    The random bits, which are the process's, keep two apart that count in the same millisecond.
    """
    milliseconds = time.time_ns() // 1_000_000
    return f"{milliseconds:012x}{next(_count) & 0xFFFFFFFF:08x}{_process.mark}"

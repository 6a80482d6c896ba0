"""Names for sessions and transactions: short, unique, and in the order of their making."""

from __future__ import annotations

import itertools
import os
import time

_count = itertools.count()


def new_id() -> str:
    """32 hexadecimal digits: milliseconds since 1970, a counter, and 48 random bits.

    The random bits keep two processes apart that count in the same millisecond.
    """
    milliseconds = time.time_ns() // 1_000_000
    counted = milliseconds << 32 | next(_count) & 0xFFFFFFFF
    return (counted.to_bytes(10) + os.urandom(6)).hex()

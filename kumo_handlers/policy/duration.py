"""Lengths of time as people write them: ``60``, ``90s``, ``"1 minute"``, ``"1h 30m"``."""

from __future__ import annotations

import math
import re
from contextlib import suppress

EXPECTED = 'a time above 0: seconds, or such as "90s", "1 minute", "1h 30m"'

_UNITS = {
    unit: seconds
    for units, seconds in (
        (("ms", "msec", "millisecond", "milliseconds"), 0.001),
        (("", "s", "sec", "secs", "second", "seconds"), 1.0),
        (("m", "min", "mins", "minute", "minutes"), 60.0),
        (("h", "hr", "hrs", "hour", "hours"), 3600.0),
        (("d", "day", "days"), 86400.0),
        (("w", "week", "weeks"), 604_800.0),
    )
    for unit in units
}
_PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*([a-z]*)\s*", re.ASCII)


def parse(raw: object) -> float:
    """Seconds. Raises ValueError for what is no time above 0."""
    seconds = math.nan
    if isinstance(raw, str):
        seconds = _parse_text(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        with suppress(OverflowError):
            seconds = float(raw)
    if not (0 < seconds < math.inf):
        raise ValueError(f"{raw!r} is no time")
    return seconds


def _parse_text(text: str) -> float:
    total, position = 0.0, 0
    while position < len(text) or not text:
        part = _PART.match(text, position)
        # A number alone is seconds, but only where it is all there is: "1 30" is a slip.
        if part is None or part[2] not in _UNITS or (not part[2] and part[0] != text):
            raise ValueError(f"{text!r} is no time")
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    return total


def show(seconds: float) -> str:
    """The shortest exact writing, in the largest unit that divides it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"

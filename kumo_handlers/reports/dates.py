"""Dates of report fields (RFC 5322, 3.3), to seconds since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import mktime_tz, parsedate_tz
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The date as RFC 5322 has it, which is nearly every date. Others take the long way.
_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?((?:[012]?\d|3[01]) [A-Z][a-z]{2} \d{4}) "
    r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d) ([+-]\d{4})",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()
# RFC 5322 dates are short; comments may make them longer, and strangers as long as they like.
_MAX_LENGTH = 200


def read(text: str) -> float | None:
    """Seconds since the epoch, None for what is no date. A weekday that contradicts is ignored.

    A zone that nobody knows counts as UTC.
    """
    text = text.strip()[:_MAX_LENGTH]
    found = _USUAL.match(text)
    if found is None:
        return _unusual(text)
    day, hour, minute, second, zone = found.groups()
    start = _start(day)
    if start is None:
        return _unusual(text)
    return float(start + int(hour) * 3600 + int(minute) * 60 + int(second) - _zone(zone))


@lru_cache(maxsize=256)
def _start(day: str) -> int | None:
    """Seconds from the epoch to ``1 Jan 1970``, say; None for no month."""
    number, name, year = day.split(" ")
    if name not in _MONTHS or year == "0000":
        return None
    # A day that the month does not have counts on from its first.
    first = date(int(year), _MONTHS.index(name) + 1, 1).toordinal() - _EPOCH
    return (first + int(number) - 1) * 86400


@lru_cache(maxsize=256)
def _zone(text: str) -> int:
    """Seconds east of UTC."""
    seconds = int(text[1:3]) * 3600 + int(text[3:]) * 60
    return -seconds if text[0] == "-" else seconds


def _unusual(text: str) -> float | None:
    try:
        parsed = parsedate_tz(text)
        if parsed is None:
            return None
        datetime(*parsed[:5], tzinfo=UTC)  # raises where a number is out of its range
        return float(mktime_tz(parsed))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

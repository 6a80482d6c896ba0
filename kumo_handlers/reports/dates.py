"""Dates of report fields (RFC 5322, 3.3), to seconds since the epoch."""

from __future__ import annotations

import re
from datetime import date
from email.utils import mktime_tz, parsedate_tz
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The date as RFC 5322 has it, which is nearly every date. Others take the long way.
_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([012]?\d|3[01]) ([A-Z][a-z]{2}) (\d{4}) "
    r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d) ([+-])(\d\d)(\d\d)",
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
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    try:
        days = _month(year, month) + int(day)
    except (ValueError, OverflowError):
        return _unusual(text)
    zone = int(zone_hours) * 60 + int(zone_minutes)
    minutes = days * 1440 + int(hour) * 60 + int(minute)
    minutes += zone if sign == "-" else -zone
    return minutes * 60.0 + int(second)


@lru_cache(maxsize=256)
def _month(year: str, month: str) -> int:
    """Days from the epoch to the day before the first of a month. Raises ValueError."""
    return date(int(year), _MONTHS.index(month) + 1, 1).toordinal() - _EPOCH - 1


def _unusual(text: str) -> float | None:
    try:
        parsed = parsedate_tz(text)
        return float(mktime_tz(parsed)) if parsed else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

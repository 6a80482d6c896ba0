"""Dates of report fields (RFC 5322, 3.3), to seconds since the epoch."""

from __future__ import annotations

import re
from datetime import date
from email.utils import mktime_tz, parsedate_tz

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
# The date as RFC 5322 has it, which is nearly every date. Others take the long way.
_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) "
    r"(\d\d):([0-5]\d):([0-5]\d) ([+-]\d\d)(\d\d)"
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
    month = _MONTHS.get(found[2]) if found else None
    try:
        if found is None or month is None:
            parsed = parsedate_tz(text)
            return float(mktime_tz(parsed)) if parsed else None
        days = date(int(found[3]), month, int(found[1])).toordinal() - _EPOCH
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    zone = int(found[7]) * 60
    zone += -int(found[8]) if zone < 0 or found[7] == "-00" else int(found[8])
    minutes = days * 1440 + int(found[4]) * 60 + int(found[5]) - zone
    return float(minutes * 60 + int(found[6]))

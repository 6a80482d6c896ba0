"""The field Retry-After (RFC 9110, 10.2.3): seconds, or a date."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime


def seconds(field: str | None, now: float) -> float | None:
    """How long to wait, from ``now`` (seconds since the epoch); None where nobody can tell."""
    text = (field or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # as in "-0000": a date of HTTP is in GMT
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)

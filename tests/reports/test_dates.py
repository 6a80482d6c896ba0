"""Dates of report fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import dates

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001 - the zones are drawn


@given(MOMENTS)
def test_agrees_with_the_standard_library(moment: datetime) -> None:
    """Every date of RFC 5322's form."""
    moment = moment.replace(microsecond=0)
    assert dates.read(format_datetime(moment)) == moment.timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 1 Jul 2024 10:00:00 +0200",
        "Fri, 1 Jul 2024 10:00:00 +0200",
        "1 Jul 2024 10:00:00 +0200 (CEST)",
        "1 Jul 2024 08:00:00 GMT",
        "1 Jul 2024 08:00 -0000",
        "Mon, 01 Jul 24 04:00:00 EDT",
        "mon, 1 jul 2024 10:00:00 +0200",
        "Monday, 1 July 2024 08:00:00 XYZ",
    ],
)
def test_ways_to_write_it(text: str) -> None:
    """The obsolete and the careless."""
    assert dates.read(text) == datetime(2024, 7, 1, 8, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text", ["", "yesterday", "32 Jul 2024 99:00:00 +0000", "1 Foo 0000 00:00:00 +0000", "1" * 5000]
)
def test_what_is_no_date(text: str) -> None:
    """It is None."""
    assert dates.read(text) is None


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """Nothing raises."""
    dates.read(text)

"""The months of a table, and what a row is made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.shipping import postgresql_table
from kumo_handlers.shipping.parcel import parcel

from .conftest import line


@given(st.datetimes(datetime(1, 2, 1), datetime(9999, 11, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds it
def test_months(moment: datetime) -> None:
    """Each moment is in the month that is made for it, and the next one follows at once."""
    month = postgresql_table.month_of(moment)
    following = postgresql_table.next_month(month)
    assert month <= moment < following
    assert (following - timedelta(microseconds=1)).month == month.month
    assert following.day == 1


def test_a_month_is_utc_s() -> None:
    """Wherever the clock stands."""
    moment = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert postgresql_table.month_of(moment) == datetime(2025, 12, 1, tzinfo=UTC)


def test_nul() -> None:
    """It is replaced in every column, and a backslash before u0000 is none."""
    awkward = {"a\0": ["\0", {"b": "\0"}], "c": "\\u0000", "d": 1.5}
    found = parcel(line(1, id="x\0y", sender=[0], meta=awkward))
    columns = postgresql_table.rows([found])
    assert columns[4] == ["x\N{REPLACEMENT CHARACTER}y"]
    assert columns[6] == ["\N{REPLACEMENT CHARACTER}"]
    mended = msgspec.json.decode(columns[-1][0])["meta"]
    new = "\N{REPLACEMENT CHARACTER}"
    assert mended == {f"a{new}": [new, {"b": new}], "c": "\\u0000", "d": 1.5}


def test_no_time() -> None:
    """A record of the year 30,000 can be in no month."""
    with pytest.raises(ValueError, match=r"year|no time"):
        postgresql_table.rows([parcel(line(1, event_time=9e11))])

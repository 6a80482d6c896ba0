"""Delays that grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.queue.schedule import RetrySchedule


@pytest.mark.parametrize(("failures", "delay"), [(1, 10), (2, 30), (3, 90), (4, 100), (9999, 100)])
def test_delays_grow_to_their_most(failures: int, delay: float) -> None:
    """Without jitter each is the last one times the factor."""
    assert RetrySchedule(first=10, factor=3, most=100, jitter=0).delay(failures) == delay


@given(st.integers(1, 10_000))
def test_jitter_is_bounded(failures: int) -> None:
    """No delay is off by more than the part that was asked for."""
    exact = RetrySchedule(jitter=0).delay(failures)
    assert 0.8 * exact <= RetrySchedule(jitter=0.2).delay(failures) <= 1.2 * exact


def test_jitter_parts_what_failed_together() -> None:
    """Two messages are not due at the same moment."""
    assert len({RetrySchedule().delay(1) for _ in range(20)}) > 1


@pytest.mark.parametrize(("moment", "over"), [(149.9, False), (150.0, True)])
def test_giving_up(moment: float, *, over: bool) -> None:
    """Counted from when the mail came in."""
    assert RetrySchedule(give_up=50).is_over(100.0, moment) is over

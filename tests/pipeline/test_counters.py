"""What is counted of mail that goes by."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.journal.record import RecordType
from kumo_handlers.pipeline.counters import Counters, Histogram


def job(*records: object, since: float = 0.0, error: Exception | None = None) -> Any:
    """A job as the committer tells of it."""
    return SimpleNamespace(unit=SimpleNamespace(records=records), since=since, error=error)


def record(kind: RecordType, report: object = None) -> object:
    """A record, as far as it is counted."""
    return SimpleNamespace(type=kind, report=report)


def test_records_and_reports() -> None:
    """By type, and reports by how they were read; a notice of no failure is one of its own."""
    counters = Counters(lambda: 1.0)
    counters.committed(
        [
            job(record(RecordType.OOB, {"source": "rfc3464"}), record(RecordType.RECEPTION)),
            job(record(RecordType.RECEPTION, {"source": "text"})),
            job(record(RecordType.FEEDBACK, {"source": "of somebody's handler"})),
            job(record(RecordType.RECEPTION, {"error": "no fields"})),
        ]
    )
    assert counters.records == {"OOB": 1, "Reception": 3, "Feedback": 1}
    assert counters.reports == {
        ("OOB", "rfc3464"): 1,
        ("no failure", "text"): 1,
        ("Feedback", "other"): 1,
    }
    assert counters.unparsed == 1


def test_failures_are_no_mail() -> None:
    """What could not be stored is refused, and counts as that alone."""
    counters = Counters(lambda: 1.0)
    counters.committed([job(record(RecordType.OOB), error=OSError())])
    assert (counters.failures, counters.records, sum(counters.latency.counts)) == (1, {}, 0)


def test_latency() -> None:
    """From being submitted on."""
    counters = Counters(lambda: 10.0)
    counters.committed([job(since=9.5), job(since=9.999)])
    assert counters.latency.sum == pytest.approx(0.501)


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0, 100), min_size=1, unique=True))
def test_histogram(values: list[float], bounds: list[float]) -> None:
    """A bucket has what is not above its bound, and above the one before."""
    bounds.sort()
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    for number, bound in enumerate(bounds):
        assert sum(histogram.counts[: number + 1]) == sum(value <= bound for value in values)
    assert sum(histogram.counts) == len(values)

"""What is counted while mail goes by: plain numbers, for the metrics endpoint to show.

A count is one step in one thread: decisions are counted where the event loop runs, the rest
where commits are made.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from kumo_handlers.broker.traffic import Traffic
from kumo_handlers.journal.record import RecordType
from kumo_handlers.reports.report import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.journal.record import Record
    from kumo_handlers.queue.unit import Job

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_SOURCES = frozenset(source.value for source in Source)


class Histogram:
    """Counts of seconds, by upper bound; the last bucket has no bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds


class Counters:
    """The counts of one installation, since its start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.decisions: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.reports: Counter[tuple[str, str]] = Counter()
        self.unparsed = 0
        self.failures = 0
        self.silent_databases = 0
        self.confirms = Histogram(_BOUNDS)
        self.traffic = Traffic(self.confirms.observe)
        self.latency = Histogram(_BOUNDS)

    def committed(self, jobs: Sequence[Job]) -> None:
        """Count what was committed, or could not be. Called by the committer's thread."""
        now = self._clock()
        for job in jobs:
            if job.error is not None:
                self.failures += 1
                continue
            self.latency.observe(now - job.since)
            for record in job.unit.records:
                self._count(record)

    def _count(self, record: Record) -> None:
        self.records[record.type] += 1
        if not isinstance(record.report, dict):
            return
        if "error" in record.report:
            self.unparsed += 1
            return
        source = str(record.report.get("source"))
        kind = record.type if record.type is not RecordType.RECEPTION else "no failure"
        self.reports[kind, source if source in _SOURCES else "other"] += 1

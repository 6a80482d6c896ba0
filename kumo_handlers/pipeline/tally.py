"""What one process has counted, so that another can add it to what it has counted itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from kumo_handlers.pipeline.counters import Counters
from kumo_handlers.pipeline.metrics import Station
from kumo_handlers.smtp.turnout import Turnout

if TYPE_CHECKING:
    from collections.abc import Sequence


class Visits(msgspec.Struct, frozen=True, array_like=True):
    """One listener: connections there are, connections there were, replies by code."""

    open: int
    connections: int
    replies: dict[int, int]


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """The counts of a process since its start. Listeners are in the order of the settings."""

    decisions: dict[str, int]
    records: dict[str, int]
    reports: list[tuple[str, str, int]]
    unparsed: int
    failures: int
    latency: list[int]
    latency_sum: float
    visits: list[Visits]

    @classmethod
    def of(cls, counters: Counters, stations: Sequence[Station]) -> Self:
        """The counts as they are now."""
        return cls(
            decisions=dict(counters.decisions),
            records=dict(counters.records),
            reports=[(*key, count) for key, count in counters.reports.copy().items()],
            unparsed=counters.unparsed,
            failures=counters.failures,
            latency=list(counters.latency.counts),
            latency_sum=counters.latency.sum,
            visits=[
                Visits(each.connections, each.turnout.connections, dict(each.turnout.replies))
                for each in stations
            ],
        )

    def closed(self) -> Tally:
        """The same, of a process that has ended: its connections have, too."""
        visits = [msgspec.structs.replace(each, open=0) for each in self.visits]
        return msgspec.structs.replace(self, visits=visits)


def together(
    counters: Counters, stations: Sequence[Station], tallies: Sequence[Tally]
) -> tuple[Counters, list[Station]]:
    """The sums of what this process has counted, and the others.

    What only the first process has, a broker and the watch over databases, is not summed up.
    """
    total = Counters()
    total.silent_databases = counters.silent_databases
    total.traffic, total.confirms = counters.traffic, counters.confirms
    for each in (Tally.of(counters, stations), *tallies):
        _add(total, each)
    return total, [
        _station(station, [each.visits[index] for each in tallies])
        for index, station in enumerate(stations)
    ]


def _add(total: Counters, tally: Tally) -> None:
    total.decisions.update(tally.decisions)
    total.records.update(tally.records)
    for kind, source, count in tally.reports:
        total.reports[kind, source] += count
    total.unparsed += tally.unparsed
    total.failures += tally.failures
    for index, count in enumerate(tally.latency):
        total.latency.counts[index] += count
    total.latency.sum += tally.latency_sum


def _station(ours: Station, theirs: Sequence[Visits]) -> Station:
    turnout = Turnout(ours.turnout.connections, ours.turnout.replies.copy())
    for each in theirs:
        turnout.connections += each.connections
        turnout.replies.update(each.replies)
    connections = ours.connections + sum(each.open for each in theirs)
    return Station(ours.listener, connections, turnout)

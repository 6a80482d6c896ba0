"""The counts of several processes are added up as one would have counted."""

from __future__ import annotations

from collections import Counter

import msgspec

from kumo_handlers.pipeline.counters import Counters
from kumo_handlers.pipeline.metrics import Station
from kumo_handlers.pipeline.tally import Tally, together
from kumo_handlers.smtp.turnout import Turnout


def counted(times: int) -> tuple[Counters, list[Station]]:
    """A process that did everything so many times."""
    counters = Counters()
    counters.decisions["relay_to"] += times
    counters.records["OOB"] += times
    counters.reports["OOB", "text"] += times
    counters.unparsed += times
    counters.failures += times
    for _ in range(times):
        counters.latency.observe(0.002)
    turnout = Turnout(times)
    turnout.replies[250] += times
    return counters, [Station("127.0.0.1:25", times, turnout)]


def test_the_sum_is_what_one_would_have_counted() -> None:
    """Ours and theirs, after a way through MessagePack; of a closed one no connection is open."""
    theirs = msgspec.msgpack.decode(msgspec.msgpack.encode(Tally.of(*counted(2))), type=Tally)
    total, stations = together(*counted(1), [theirs, theirs.closed()])
    assert Tally.of(total, []) == Tally.of(counted(5)[0], [])
    (station,) = stations
    assert station == Station("127.0.0.1:25", 3, Turnout(5, Counter({250: 5})))


def test_nothing_counted_is_changed() -> None:
    """To add up is no way to count twice."""
    counters, stations = counted(1)
    before = Tally.of(counters, stations)
    together(counters, stations, [before])
    assert Tally.of(counters, stations) == before


def test_what_only_the_first_process_has() -> None:
    """Stands as it is: a broker's traffic, and databases that do not answer."""
    counters, stations = counted(1)
    counters.silent_databases = 2
    counters.traffic.confirmed(0.5)
    total, _ = together(counters, stations, [Tally.of(*counted(1))])
    assert total.silent_databases == 2
    assert total.traffic.published == 1
    assert total.confirms.sum == 0.5

"""The counts as Prometheus reads them: its text format, version 0.0.4.

Every metric is declared once, in `METRICS`. Labels have few values, all of them known before
there is any mail: nothing that a peer sends becomes one.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kumo_handlers.broker.traffic import Traffic
    from kumo_handlers.pipeline.counters import Counters, Histogram
    from kumo_handlers.queue.depth import Depth
    from kumo_handlers.shipping.lag import Lag
    from kumo_handlers.smtp.turnout import Turnout

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "kumo_handlers_"
_REPLIES = range(200, 600)

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float]


class Metric(NamedTuple):
    """What a metric is called, what kind it is, and what it says."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


METRICS = {
    each.name: each
    for each in (
        Metric("connections_total", "counter", "Connections there were.", ("listener",)),
        Metric("connections", "gauge", "Connections there are.", ("listener",)),
        Metric("replies_total", "counter", "SMTP replies, by code.", ("listener", "code")),
        Metric("decisions_total", "counter", "Recipients decided about, by the rule.", ("rule",)),
        Metric("records_total", "counter", "Log records, by type.", ("type",)),
        Metric(
            "reports_total",
            "counter",
            "Reports understood, by record type and by how they were read.",
            ("type", "source"),
        ),
        Metric("unparsed_reports_total", "counter", "Reports that nobody could read."),
        Metric("unparsed_ratio", "gauge", "Unparsed reports among all, since the start."),
        Metric("commit_seconds", "histogram", "From being submitted to being durable.", ("le",)),
        Metric("commit_failures_total", "counter", "Units of work that could not be stored."),
        Metric("queue_messages", "gauge", "Messages that wait for the relay."),
        Metric("queue_bytes", "gauge", "Their size, in bytes."),
        Metric("queue_oldest_seconds", "gauge", "How long the oldest of them waits."),
        Metric("broker_published_total", "counter", "Messages that the broker has confirmed."),
        Metric("broker_unconfirmed_total", "counter", "Messages that it has not."),
        Metric("broker_confirm_seconds", "histogram", "How long it took to confirm.", ("le",)),
        Metric("broker_taken_total", "counter", "Messages that it has handed over."),
        Metric("broker_redelivered_total", "counter", "Of these, somebody had before."),
        Metric("broker_repeated_total", "counter", "Recipients done already, and passed over."),
        Metric("broker_retried_total", "counter", "Messages put back for a later try."),
        Metric("broker_dead_total", "counter", "Messages that became dead letters."),
        Metric("ship_lag_records", "gauge", "Records not shipped yet.", ("destination",)),
        Metric("ship_lag_bytes", "gauge", "Bytes of log not shipped yet.", ("destination",)),
        Metric("ship_lag_seconds", "gauge", "The age of the first of them.", ("destination",)),
        Metric("ship_records_total", "counter", "Records shipped.", ("destination",)),
        Metric("ship_failures_total", "counter", "Batches to be sent again.", ("destination",)),
        Metric("ship_refused_total", "counter", "Records refused for good.", ("destination",)),
        Metric("ship_lost_total", "counter", "Records deleted too early.", ("destination",)),
        Metric("policy_silent_databases", "gauge", "Databases of rules that do not answer."),
        Metric("policy", "gauge", "1, with the version of the rules in force.", ("version",)),
    )
}


class Station(NamedTuple):
    """One listener as it is counted."""

    listener: str
    connections: int
    turnout: Turnout


def exposition(
    counters: Counters,
    stations: Iterable[Station],
    depth: Depth,
    version: str,
    now: float,
    lags: Sequence[Lag] = (),
) -> str:
    """The page. ``now`` is seconds since the epoch; ``lags`` are those of what is shipped to."""
    stations = tuple(stations)
    samples: dict[str, Iterable[Sample]] = {
        "connections_total": [(_at(each), each.turnout.connections) for each in stations],
        "connections": [(_at(each), each.connections) for each in stations],
        "replies_total": _replies(stations),
        "decisions_total": _counted("rule", counters.decisions),
        "records_total": _counted("type", counters.records),
        "reports_total": [
            ((("type", kind), ("source", source)), count)
            for (kind, source), count in sorted(counters.reports.copy().items())
        ],
        "unparsed_reports_total": [((), counters.unparsed)],
        "unparsed_ratio": [((), _ratio(counters))],
        "commit_failures_total": [((), counters.failures)],
        "queue_messages": [((), depth.messages)],
        "queue_bytes": [((), depth.bytes)],
        "queue_oldest_seconds": [((), max(0.0, now - depth.oldest) if depth.oldest else 0)],
        "policy_silent_databases": [((), counters.silent_databases)],
        "policy": [((("version", version),), 1)],
        **_broker(counters.traffic),
        **_shipping(lags),
    }
    histograms = {
        "commit_seconds": counters.latency,
        "broker_confirm_seconds": counters.confirms,
    }
    lines: list[str] = []
    for metric in METRICS.values():
        lines += _head(metric)
        if metric.kind == "histogram":
            lines += _histogram(metric, histograms[metric.name])
        else:
            lines += (_line(metric.name, *sample) for sample in samples[metric.name])
    return "\n".join(lines) + "\n"


def _broker(traffic: Traffic) -> dict[str, Iterable[Sample]]:
    return {
        "broker_published_total": [((), traffic.published)],
        "broker_unconfirmed_total": [((), traffic.unconfirmed)],
        "broker_taken_total": [((), traffic.taken)],
        "broker_redelivered_total": [((), traffic.redelivered)],
        "broker_repeated_total": [((), traffic.repeated)],
        "broker_retried_total": [((), traffic.retried)],
        "broker_dead_total": [((), traffic.dead)],
    }


def _shipping(lags: Sequence[Lag]) -> dict[str, Iterable[Sample]]:
    """By destination, whose name holds no secret."""

    def each(value: Callable[[Lag], float]) -> list[Sample]:
        return [((("destination", lag.state.name),), value(lag)) for lag in lags]

    return {
        "ship_lag_records": each(lambda lag: lag.records),
        "ship_lag_bytes": each(lambda lag: lag.size),
        "ship_lag_seconds": each(lambda lag: lag.seconds),
        "ship_records_total": each(lambda lag: lag.state.shipped),
        "ship_failures_total": each(lambda lag: lag.state.failures),
        "ship_refused_total": each(lambda lag: lag.state.refused),
        "ship_lost_total": each(lambda lag: lag.state.lost),
    }


def _at(station: Station) -> Labels:
    return (("listener", station.listener),)


def _replies(stations: Iterable[Station]) -> Iterator[Sample]:
    """By code; what a handler invented and is no code counts as ``other``."""
    for station in stations:
        counts: dict[str, int] = {}
        for code, count in sorted(station.turnout.replies.copy().items()):
            name = str(code) if code in _REPLIES else "other"
            counts[name] = counts.get(name, 0) + count
        for name, count in counts.items():
            yield (*_at(station), ("code", name)), count


def _counted(label: str, counts: Mapping[str, int]) -> list[Sample]:
    return [(((label, str(name)),), count) for name, count in sorted(dict(counts).items())]


def _ratio(counters: Counters) -> float:
    every = counters.unparsed + sum(counters.reports.copy().values())
    return counters.unparsed / every if every else 0.0


def _head(metric: Metric) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{metric.name} {metric.help}"
    yield f"# TYPE {_PREFIX}{metric.name} {metric.kind}"


def _histogram(metric: Metric, histogram: Histogram) -> Iterator[str]:
    """Cumulative buckets, the last one of everything; sum and count."""
    counts = list(accumulate(histogram.counts))
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), counts, strict=True):
        yield _line(f"{metric.name}_bucket", (("le", bound),), count)
    yield _line(f"{metric.name}_sum", (), histogram.sum)
    yield _line(f"{metric.name}_count", (), counts[-1])


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{_PREFIX}{name}{'{' + inside + '}' if inside else ''} {value}"


def _escaped(text: str) -> str:
    """A label's value as the format has it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

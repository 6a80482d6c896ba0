"""The metrics page, by the rules of its format, and over HTTP from a running app."""

from __future__ import annotations

import http.client
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import ConfigurationError, StorageError
from kumo_handlers.pipeline import metrics
from kumo_handlers.pipeline.counters import Counters
from kumo_handlers.pipeline.metrics import METRICS, Station, exposition
from kumo_handlers.policy.relaying import Rule
from kumo_handlers.queue.depth import Depth
from kumo_handlers.smtp.turnout import Turnout
from kumo_handlers.testing import make_bounce, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
SUFFIX = re.compile("_(bucket|sum|count)$")


def parse(page: str) -> dict[tuple[str, str], float]:
    """Samples by name and labels, read as strictly as the format is written.

    HELP and TYPE come once and before the samples, samples of one name stand together, and no
    sample comes twice.
    """
    assert page.endswith("\n")
    types: dict[str, str] = {}
    samples: dict[tuple[str, str], float] = {}
    order: list[str] = []
    for line in page.removesuffix("\n").split("\n"):
        if line.startswith("# "):
            _, word, name, text = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            if word == "TYPE":
                assert name not in types
                assert text in ("counter", "gauge", "histogram")
                types[name] = text
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        name = found[1]
        family = name if name in types else SUFFIX.sub("", name)
        assert (types[family] == "histogram") is (family != name)
        if not order or order[-1] != family:
            assert family not in order
            order.append(family)
        key = (name, found[2] or "")
        assert key not in samples
        samples[key] = float(found[3].replace("+Inf", "inf"))
    return samples


def page(counters: Counters, turnout: Turnout | None = None, oldest: float | None = None) -> str:
    """The page of one listener with a name that needs care."""
    stations = [Station('unix:/a"b\\c', 3, turnout or Turnout())]
    return exposition(counters, stations, Depth(2, 10, oldest), "v1", 100.0)


def test_every_metric_is_there_at_the_start() -> None:
    """With its help and type; what has no fixed labels has a first value, too."""
    text = page(Counters())
    samples = parse(text)
    for metric in METRICS.values():
        assert f"# HELP kumo_handlers_{metric.name} {metric.help}\n" in text
        assert f"# TYPE kumo_handlers_{metric.name} {metric.kind}\n" in text
        if not metric.labels:
            assert ("kumo_handlers_" + metric.name, "") in samples


def test_values() -> None:
    """What was counted stands where it belongs, labels escaped."""
    counters = Counters(lambda: 1.0)
    counters.decisions["relay_to"] += 4
    counters.unparsed = 1
    counters.reports["OOB", "rfc3464"] = 3
    turnout = Turnout(7)
    turnout.replies.update({250: 5, 999: 1, 42: 1})
    found = parse(page(counters, turnout, 40.0))
    station = r'listener="unix:/a\"b\\c"'
    expected = {
        ("connections_total", station): 7,
        ("connections", station): 3,
        ("replies_total", f'{station},code="250"'): 5,
        ("replies_total", f'{station},code="other"'): 2,
        ("decisions_total", 'rule="relay_to"'): 4,
        ("reports_total", 'type="OOB",source="rfc3464"'): 3,
        ("unparsed_ratio", ""): 0.25,
        ("queue_messages", ""): 2,
        ("queue_bytes", ""): 10,
        ("queue_oldest_seconds", ""): 60,
        ("policy", 'version="v1"'): 1,
    }
    for (name, labels), value in expected.items():
        assert found["kumo_handlers_" + name, labels] == value


def test_histogram_is_cumulative() -> None:
    """Buckets grow up to +Inf, which is the count."""
    counters = Counters()
    for seconds in (0.0005, 0.003, 0.003, 99.0):
        counters.latency.observe(seconds)
    found = parse(page(counters))
    name = "kumo_handlers_commit_seconds"
    buckets = [
        (float(labels[4:-1].replace("+Inf", "inf")), value)
        for (each, labels), value in found.items()
        if each == f"{name}_bucket"
    ]
    assert buckets == sorted(buckets)
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert buckets[-1] == (math.inf, found[f"{name}_count", ""]) == (math.inf, 4)
    assert found[f"{name}_sum", ""] == pytest.approx(99.0065)


def test_labels_are_bounded() -> None:
    """Whatever replies handlers invent, there are so many lines and no more."""
    turnout = Turnout()
    turnout.replies.update(range(10_000))
    lines = [line for line in page(Counters(), turnout).splitlines() if "replies_total{" in line]
    assert len(lines) == 401
    assert len(Rule.__args__) == 7


def ask(
    port: int, method: str = "GET", path: str = "/metrics"
) -> tuple[http.client.HTTPResponse, str]:
    """One question."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response, text


def test_a_running_app(start: Callable[..., Any]) -> None:
    """What happened is what the page says."""
    app = start(metrics="127.0.0.1:0")
    app.send("ann@elsewhere.example", "bob@example.com", make_letter("bob@example.com"))
    app.send("", "v@bounce.example.com", make_bounce("gone@nowhere.example"))
    app.send("ann@elsewhere.example", "x@far.example", b"")
    response, text = ask(app.receiver.metrics.port)
    assert response.status == 200
    assert response.headers["content-type"] == metrics.CONTENT_TYPE
    found = parse(text)

    def value(name: str, labels: str = "") -> float:
        return found["kumo_handlers_" + name, labels]

    assert value("connections_total", 'listener="127.0.0.1:0"') == 3
    assert value("replies_total", 'listener="127.0.0.1:0",code="550"') == 1
    for rule in ("relay_to", "log_oob", "none"):
        assert value("decisions_total", f'rule="{rule}"') == 1
    assert value("records_total", 'type="OOB"') == 1
    assert value("reports_total", 'type="OOB",source="rfc3464"') == 1
    assert value("queue_messages") == 1
    assert value("queue_oldest_seconds") < 60
    assert value("commit_seconds_count") >= 2


def test_nothing_else_is_told(start: Callable[..., Any]) -> None:
    """Other paths and methods, and what is no HTTP."""
    port = start(metrics="127.0.0.1:0").receiver.metrics.port
    assert ask(port, path="/")[0].status == 404
    assert ask(port, "POST")[0].status == 405
    response, text = ask(port, "HEAD")
    assert (response.status, text) == (200, "")
    assert ask(port)[0].status == 200


def test_it_is_off_by_default(start: Callable[..., Any]) -> None:
    """Nothing listens that nobody asked for."""
    assert start().receiver.metrics.port == 0


def test_an_address_in_use(start: Callable[..., Any]) -> None:
    """It is said, naming the setting."""
    port = start(metrics="127.0.0.1:0").receiver.metrics.port
    with pytest.raises(ConfigurationError, match="option metrics: cannot listen"):
        start(metrics=f"127.0.0.1:{port}")


def test_a_queue_that_cannot_be_read(start: Callable[..., Any], monkeypatch: Any) -> None:
    """Prometheus sees that, and the app goes on."""
    app = start(metrics="127.0.0.1:0")

    def fail() -> None:
        raise StorageError("gone")

    monkeypatch.setattr(app.receiver._installed.committer, "depth", fail)
    assert ask(app.receiver.metrics.port)[0].status == 503

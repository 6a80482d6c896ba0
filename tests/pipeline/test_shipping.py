"""An app that ships: its records arrive, its metrics tell how far they are."""

from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers import boot
from kumo_handlers.errors import ConfigurationError
from kumo_handlers.shipping import companion, lag
from kumo_handlers.testing import make_bounce, make_letter
from tests.waiting import books_are_written, until

from ..shipping.webhook_server import WebhookServer  # noqa: TID252 - the tests' own server

if TYPE_CHECKING:
    from collections.abc import Callable


def test_records_arrive(start: Callable[..., Any]) -> None:
    """Those that are wanted, in the order of the log; and the page says so."""
    with WebhookServer() as server:
        entry = {"url": server.url, "name": "hook", "types": ["OOB"]}
        app = start(ship=[entry], metrics="127.0.0.1:0")
        for number in range(3):
            bounce = make_bounce(f"r{number}@dest.example")
            assert app.send("", "x@bounce.example.com", bounce).startswith("250")
            assert app.send(
                "a@x.example", "b@example.com", make_letter("b@example.com")
            ).startswith("250")
        books_are_written()
        until(lambda: not lag.of(app.run_dir, "hook", time.time()).size and len(server.taken) == 3)
        logged = [line for path in (app.run_dir / "log").iterdir() for line in _lines(path)]
        assert server.taken == [line for line in logged if b'"type":"OOB"' in line]
        page = _page(app.receiver.metrics.port)
    assert 'kumo_handlers_ship_records_total{destination="hook"} 3\n' in page
    assert 'kumo_handlers_ship_lag_bytes{destination="hook"} 0\n' in page


def _lines(path: Any) -> list[bytes]:
    lines: list[bytes] = path.read_bytes().splitlines()
    return lines


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        page: str = answer.read().decode()
        return page


def test_a_destination_that_is_away_stops_no_mail(start: Callable[..., Any]) -> None:
    """Port 9 is nobody's; and the app stops as it should."""
    app = start(ship=["http://127.0.0.1:9/"])
    for _ in range(5):
        assert app.send("", "x@bounce.example.com", make_bounce("r@dest.example")).startswith("250")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"sinks": ["terminal"]}, r"sinks: what is shipped is the log.*jsonl"),
        ({"ship": ["amqp://h:x/"]}, r"ship\[1\]\.url: this is no URL"),
    ],
)
def test_what_cannot_be_shipped_is_no_start(
    settings_for: Callable[..., Any], more: dict[str, Any], message: str
) -> None:
    """It is said before any mail comes in."""
    with pytest.raises(ConfigurationError, match=message):
        boot.receiver(settings_for(**({"ship": ["https://h/"]} | more)))


def test_a_client_that_is_not_installed(
    settings_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named."""
    monkeypatch.setattr("kumo_handlers.shipping.shipment.find_spec", lambda _: None)
    monkeypatch.setitem(__import__("sys").modules, "aio_pika", None)
    with pytest.raises(ConfigurationError, match=r"kumo-handlers\[amqp\]"):
        boot.receiver(settings_for(ship=["amqp://h/"]))


def test_without_destinations_there_is_no_process(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a folder."""
    monkeypatch.setattr(companion.subprocess, "Popen", None)
    app = start()
    assert app.send("", "x@bounce.example.com", make_bounce("r@dest.example")).startswith("250")
    assert not (app.run_dir / "ship").exists()

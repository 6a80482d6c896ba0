"""The shipping process: it ships, comes back when it dies, and never outlives the app."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.shipping import orders, shipment, state
from kumo_handlers.shipping.companion import Companion
from kumo_handlers.shipping.orders import Orders
from tests.waiting import until

from .conftest import Log, line
from .webhook_server import WebhookServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.shipping.state import State


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    """One that runs."""
    with WebhookServer() as running:
        yield running


def given(log: Log, server: WebhookServer) -> Orders:
    """Ship the log there."""
    return Orders(str(log.run_dir), shipment.read({"url": server.url, "name": "hook"}))


def saved(log: Log) -> State:
    """How far it is."""
    return state.load(log.run_dir / "ship", "hook")


def pid(companion: Companion) -> int:
    """The process."""
    child = companion._child
    assert child is not None
    return child._process.pid


def is_held(log: Log) -> bool:
    """Whether somebody ships."""
    with (log.run_dir / "ship" / "hook.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_it_ships_what_is_written(log: Log, server: WebhookServer) -> None:
    """Soon after it was; and at its end the place is written down."""
    log.write(line(1))
    companion = Companion(given(log, server))
    try:
        until(lambda: server.taken == [line(1)])
        log.write(line(2))
        until(lambda: server.taken == [line(1), line(2)])
    finally:
        companion.stop()
    assert saved(log).place.line == 2
    assert not is_held(log)


def test_it_comes_back(log: Log, server: WebhookServer, caplog: pytest.LogCaptureFixture) -> None:
    """Killed, it is started again, and goes on."""
    log.write(line(1))
    companion = Companion(given(log, server))
    try:
        until(lambda: server.taken)
        os.kill(pid(companion), signal.SIGKILL)
        until(lambda: "started again" in caplog.text)
        log.write(line(2))
        until(lambda: line(2) in server.taken)
    finally:
        companion.stop()
    assert "ended with status -9" in caplog.text
    assert list(dict.fromkeys(server.taken)) == [line(1), line(2)]


def test_one_at_a_time(log: Log, server: WebhookServer) -> None:
    """Of two, one waits, and takes over when the other ends."""
    log.write(*map(line, range(5)))
    first = Companion(given(log, server))
    until(lambda: len(server.taken) == 5)
    second = Companion(given(log, server))
    try:
        first.stop()
        log.write(line(5))
        until(lambda: len(server.taken) == 6)
    finally:
        second.stop()
    assert server.taken == [*map(line, range(6))]


def test_it_does_not_outlive_the_app(log: Log, server: WebhookServer) -> None:
    """However that ends: here by SIGKILL."""
    log.write(line(1))
    script = (
        "import sys, time; from kumo_handlers.shipping import companion, orders;"
        "companion.Companion(orders.decode(sys.stdin.buffer.readline())); time.sleep(60)"
    )
    app = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    assert app.stdin is not None
    app.stdin.write(orders.encode(given(log, server)))
    app.stdin.close()
    until(lambda: server.taken)
    assert is_held(log)
    app.kill()
    app.wait()
    until(lambda: not is_held(log))


def test_its_words_are_the_app_s(
    log: Log, server: WebhookServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What it logs is logged here, under its own name and level."""
    log.write(line(1))
    server.script = ["500 Oh"]
    companion = Companion(given(log, server))
    try:
        until(lambda: server.taken)
        until(lambda: "takes records again" in caplog.text)
    finally:
        companion.stop()
    said = [record for record in caplog.records if "the answer was 500 Oh" in record.message]
    assert [(each.name, each.levelno) for each in said] == [
        ("kumo_handlers.shipping.remarks", logging.WARNING)
    ]


def test_it_cannot_be_started(tmp_path: object, caplog: pytest.LogCaptureFixture) -> None:
    """That is said; and it can be stopped all the same."""
    companion = Companion(Orders("run", ()), ["/nowhere/python"])
    until(lambda: "cannot be started" in caplog.text)
    companion.stop()

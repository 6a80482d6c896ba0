"""Signals that come while the receiver starts are not lost, and break nothing off."""

from __future__ import annotations

import io
import logging
import os
import signal
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.pipeline.reload import Reloader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers of signals are as before afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_told_to_stop_while_it_starts(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients are answered already; the start is finished, and then the receiver ends."""
    begin = Reloader.start

    def told(reloader: Reloader) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        begin(reloader)

    monkeypatch.setattr(Reloader, "start", told)
    with pytest.raises(SystemExit) as ended:
        start()
    assert ended.value.code == 0
    assert all(thread.name != "listeners" for thread in threading.enumerate())


@pytest.mark.usefixtures("signals")
def test_told_to_stop_twice(start: Callable[..., Any]) -> None:
    """As by who stops a whole group of processes. The second interrupts what the first began.

    What was interrupted may hold a lock that the listeners need for their end: that of logging.
    """
    started = start()
    handler = logging.StreamHandler(io.StringIO())
    logging.getLogger("kumo_handlers").addHandler(handler)
    try:
        with pytest.raises(SystemExit):
            _interrupted(handler)
        os.kill(os.getpid(), signal.SIGTERM)
        started.receiver.join()
    finally:
        logging.getLogger("kumo_handlers").removeHandler(handler)


def _interrupted(handler: logging.Handler) -> None:
    """A signal while the main thread writes a line of the log."""
    with handler.lock or nullcontext():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)


@pytest.mark.usefixtures("signals")
def test_told_to_stop_while_awaited(start: Callable[..., Any]) -> None:
    """What is in flight is finished before the wait is over, which is not broken off."""
    started = start()
    client = started.client()
    client.mail("ann@else.example")
    client.rcpt("bob@example.com")
    client.putcmd("DATA")
    assert client.getreply()[0] == 354
    replies: list[tuple[int, bytes]] = []

    def go_on() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.3)
        client.send(b"Subject: in flight\r\n\r\nText.\r\n.\r\n")
        replies.append(client.getreply())

    going = threading.Timer(0.2, go_on)
    going.start()
    started.receiver.join()
    going.join(10)
    assert [code for code, _ in replies] == [250]
    (record,) = started.records("Reception")
    assert record["recipient"] == "bob@example.com"
    client.close()


@pytest.mark.usefixtures("signals")
def test_told_to_stop_while_another_thread_waits(start: Callable[..., Any]) -> None:
    """The main thread, which may be asleep for good, ends all the same."""
    started = start()
    waiting = threading.Thread(target=started.receiver.join)
    waiting.start()
    with pytest.raises(SystemExit):
        _interrupted(logging.NullHandler())
    waiting.join(10)
    assert not waiting.is_alive()

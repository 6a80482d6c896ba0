"""What systemd is told, heard on a socket of the test's."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.pipeline.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["file", "abstract"])
def supervisor(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[socket.socket, str]]:
    """A socket like systemd's, and its name in the environment."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name if name[0] == "/" else f"\0{name[1:]}")
        listening.settimeout(5)
        yield listening, name


def test_what_is_said(supervisor: tuple[socket.socket, str]) -> None:
    """Ready, reloading with its time, stopping: each one datagram."""
    listening, name = supervisor
    readiness = Readiness({"NOTIFY_SOCKET": name})
    readiness.ready("listening on 127.0.0.1:25")
    assert listening.recv(999) == b"READY=1\nSTATUS=listening on 127.0.0.1:25"
    before = time.monotonic_ns() // 1000
    readiness.reloading()
    first, second = listening.recv(999).decode().split("\n")
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    readiness.stopping()
    assert listening.recv(999).startswith(b"STOPPING=1\n")


@pytest.mark.parametrize(
    ("given", "least"),
    [
        ({"WATCHDOG_USEC": "20000"}, 4),
        ({"WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid())}, 4),
        ({"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "0"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({}, 0),
    ],
)
def test_signs_of_life(
    given: dict[str, str],
    least: int,
    supervisor: tuple[socket.socket, str],
) -> None:
    """Twice in the time they are expected in; none where nobody asked this process for any."""
    listening, name = supervisor
    listening.settimeout(0)
    readiness = Readiness({"NOTIFY_SOCKET": name, **given})

    async def run() -> None:
        living = asyncio.ensure_future(readiness.live())
        await asyncio.sleep(0.1)
        living.cancel()

    asyncio.run(run())
    heard = []
    while True:
        try:
            heard.append(listening.recv(999))
        except BlockingIOError:
            break
    assert set(heard) == ({b"WATCHDOG=1"} if least else set())
    assert len(heard) >= least


def test_nobody_listens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No supervisor is no trouble; one that is gone is a warning."""
    Readiness({}).ready("")
    assert not caplog.text
    Readiness({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("")
    assert "systemd cannot be told READY=1" in caplog.text

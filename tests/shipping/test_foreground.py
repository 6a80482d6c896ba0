"""``kumo-handlers ship run``: a process that ships, until nothing is left or it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.shipping import state

from .conftest import Log, line
from .webhook_server import WebhookServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = "from kumo_handlers.cli.main import main; main()"
SECRET = "hush-hush"  # noqa: S105 - invented


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    """One that runs."""
    with WebhookServer() as running:
        yield running


def ship(folder: Path, url: str, *words: str) -> subprocess.Popen[str]:
    """The command, in a project of that folder."""
    (folder / "config").mkdir()
    (folder / "config" / "__init__.py").touch()
    url = url.replace("http://", f"http://ann:{SECRET}@")
    (folder / "config" / "settings.py").write_text(
        f"run_dir = 'run'\nship = [{{'url': {url!r}, 'name': 'hook'}}]\n"
    )
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "ship", "run", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_empties_the_log(log: Log, server: WebhookServer, tmp_path: Path) -> None:
    """And ends; what went wrong meanwhile is said, without a secret."""
    log.write(line(1), line(2))
    server.script = ["500 Oh"]
    process = ship(tmp_path, server.url, "--drain")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert server.taken == [line(1), line(2)]
    assert "WARNING hook takes no records: the answer was 500 Oh" in said
    assert SECRET not in said


def test_it_goes_on_until_it_is_stopped(log: Log, server: WebhookServer, tmp_path: Path) -> None:
    """By SIGTERM, and the place is written down."""
    log.write(line(1))
    process = ship(tmp_path, server.url)
    end = time.monotonic() + 20
    while not server.taken and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert state.load(log.run_dir / "ship", "hook").place.line == 1


def test_nothing_to_ship(tmp_path: Path) -> None:
    """It says so."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").touch()
    (tmp_path / "config" / "settings.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "ship", "run"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "option ship: nothing is to be shipped" in done.stderr

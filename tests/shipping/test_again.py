"""``kumo-handlers ship again``: what was refused arrives, or stays refused, or waits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.shipping import refusals
from kumo_handlers.shipping.refusals import Refusal

from .conftest import Log, line
from .webhook_server import WebhookServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = "from kumo_handlers.cli.main import main; main()"


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    """One that runs."""
    with WebhookServer() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, log: Log, server: WebhookServer) -> Path:
    """An app with a destination that refused two records of three."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").touch()
    (tmp_path / "config" / "settings.py").write_text(
        f"run_dir = {str(log.run_dir)!r}\nship = [{{'url': {server.url!r}, 'name': 'hook'}}]\n"
    )
    log.write(line(1), line(2), line(3))
    for number in (1, 3):
        refusals.keep(log.run_dir / "ship", "hook", Refusal(1.0, "no", line(number).decode()))
    return tmp_path


def start(project: Path, name: str = "hook") -> subprocess.Popen[str]:
    """The command."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "ship", "again", name],
        cwd=project,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def again(project: Path, name: str = "hook") -> tuple[int, str, str]:
    """Its exit status, and what it said."""
    process = start(project, name)
    said, complained = process.communicate(timeout=20)
    return process.returncode, said, complained


def refused(log: Log) -> list[tuple[str, str]]:
    """Reason and line of each refusal there is."""
    path = refusals.path_of(log.run_dir / "ship", "hook")
    lines = path.read_text().splitlines() if path.exists() else []
    return [(each["reason"], each["line"]) for each in map(json.loads, lines)]


def test_all_of_it_arrives(project: Path, log: Log, server: WebhookServer) -> None:
    """And nothing that had arrived before; then nothing is left, in no file."""
    assert again(project) == (0, "2 shipped, 0 refused again, 0 left\n", "")
    assert server.taken == [line(1), line(3)]
    assert refused(log) == []
    assert not list((log.run_dir / "ship").glob("hook.again/*"))
    assert again(project) == (0, "0 shipped, 0 refused again, 0 left\n", "")


def test_what_is_refused_again(project: Path, log: Log, server: WebhookServer) -> None:
    """It stays refused, with the new reason."""
    server.script = ["422 Both", "204 Good", "422 Still not"]
    code, said, _ = again(project)
    assert (code, said) == (1, "1 shipped, 1 refused again, 0 left\n")
    assert server.taken == [line(1)]
    [(reason, text)] = refused(log)
    assert ("Still not" in reason, text) == (True, line(3).decode())


def test_broken_off(project: Path, log: Log, server: WebhookServer) -> None:
    """The next call goes on, with what was refused since as well, in the call after."""
    server.script = ["503 Not now"] * 100
    process = start(project)
    end = time.monotonic() + 20
    while not server.posts and time.monotonic() < end:
        time.sleep(0.02)
    assert again(project)[0] == 1  # one at a time
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert (process.returncode, said) == (1, "0 shipped, 0 refused again, 2 left\n")
    refusals.keep(log.run_dir / "ship", "hook", Refusal(2.0, "no", line(4).decode()))
    server.script = []
    assert again(project)[1] == "2 shipped, 0 refused again, 0 left\n"
    assert again(project)[1] == "1 shipped, 0 refused again, 0 left\n"
    assert server.taken == [line(1), line(3), line(4)]


def test_killed_before_the_log_was_made(project: Path, log: Log, server: WebhookServer) -> None:
    """The refusals are taken already, and are not forgotten."""
    folder = log.run_dir / "ship" / "hook.again"
    (folder / "log").mkdir(parents=True)
    refusals.path_of(log.run_dir / "ship", "hook").rename(folder / "taken.jsonl")
    assert again(project)[1] == "2 shipped, 0 refused again, 0 left\n"
    assert server.taken == [line(1), line(3)]


def test_another_name(project: Path) -> None:
    """The error says which there are."""
    code, _, complained = again(project, "hok")
    assert (code, "expected one of hook" in complained) == (1, True)

"""Several processes at one port: one log, one count, and nobody left behind."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ports import free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
RULES = '["relay.example"]\nrelay_to = true\n'


class App:
    """The app of ``several.py``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "rules.toml").write_text(RULES)
        self._metrics = free_port()
        path = os.pathsep.join((str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")))
        self.process = subprocess.Popen(
            [sys.executable, HERE / "several.py", folder, str(self._metrics)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log()
        self.port = int(line)

    def send(self, domain: str = "relay.example") -> int:
        """One message over a connection of its own; the code of RCPT, or of what follows DATA."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            client.ehlo()
            client.mail("ann@elsewhere.example")
            code, _ = client.rcpt(f"bob@{domain}")
            return client.data(b"Subject: x\r\n\r\nhello\r\n")[0] if code == 250 else code

    def records(self) -> list[dict[str, Any]]:
        """The log."""
        segments = (self.folder / "run" / "log").glob("*.jsonl")
        return [json.loads(line) for path in segments for line in whole_lines(path)]

    def metric(self, name: str) -> float:
        """The first sample of that name."""
        url = f"http://127.0.0.1:{self._metrics}/metrics"
        with urllib.request.urlopen(url, timeout=5) as page:
            lines = page.read().decode().splitlines()
        return float(next(x for x in lines if x.startswith(f"kumo_handlers_{name}")).split()[-1])

    def log(self) -> str:
        """What the app said."""
        return (self.folder / "app.log").read_text()

    def family(self) -> list[int]:
        """The processes below the first one: the nursery, and the workers."""
        (nursery,) = children(self.process.pid)
        return [nursery, *children(nursery)]

    def end(self) -> None:
        """Leave nothing running."""
        self.process.kill()
        self.process.communicate()


def whole_lines(path: Path) -> list[str]:
    """Those of a file that may be growing."""
    return path.read_text().rpartition("\n")[0].splitlines()


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has forked."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The app, listening."""
    started = App(tmp_path)
    yield started
    started.end()


def test_one_log_and_one_count(app: App) -> None:
    """Whichever took a message, it is in the log once; SIGTERM ends all of them, with status 0."""
    family = app.family()
    assert len(family) == 3
    assert [app.send() for _ in range(12)] == [250] * 12
    assert app.send("elsewhere.example") == 550
    until(lambda: len(app.records()) == 13)
    ids = {record["id"] for record in app.records()}
    assert len(ids) == 13
    until(lambda: app.metric("connections_total{") == 13)
    assert app.metric("queue_messages") == 12
    until(lambda: app.metric("commit_seconds_count") == 13)
    app.process.terminate()
    assert app.process.wait(10) == 0
    assert not any(map(is_alive, family))


def test_a_worker_that_dies_is_replaced(app: App) -> None:
    """The others go on meanwhile, and the log says how it ended."""
    nursery, *workers = app.family()
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: app.log().count("listens") == 3)
    assert app.send() == 250
    assert "ended by SIGKILL, and is started again" in app.log()
    now = children(nursery)
    assert len(now) == 2
    assert workers[0] not in now


def test_when_the_first_process_dies_the_workers_end(app: App) -> None:
    """Nobody says 250 where nobody writes."""
    family = app.family()
    app.process.kill()
    app.process.wait()
    until(lambda: not any(map(is_alive, family)))


def test_changed_rules_hold_for_all(app: App) -> None:
    """Each worker loads them; SIGHUP, which only the first one gets, is passed on."""
    assert app.send("new.example") == 550
    (app.folder / "rules.toml").write_text(RULES + '["new.example"]\nrelay_to = true\n')
    app.process.send_signal(signal.SIGHUP)
    until(lambda: app.log().count("new rules in force") == 3)
    assert [app.send("new.example") for _ in range(8)] == [250] * 8


def test_when_nobody_can_replace_a_worker_the_app_ends(app: App) -> None:
    """Status 1, for a supervisor to start it anew; what was acknowledged is there."""
    nursery, *workers = app.family()
    assert app.send() == 250
    os.kill(nursery, signal.SIGKILL)
    assert app.process.wait(10) == 1
    until(lambda: not any(map(is_alive, workers)))
    assert "the process that starts workers died" in app.log()
    assert len(app.records()) == 1

"""In Salmon as any user has it: this repository's app, and one that ``salmon gen`` made."""

from __future__ import annotations

import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.testing import make_bounce, make_letter
from tests.ports import free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SALMON = Path(sys.executable).parent / "salmon"
PATIENCE = 20.0


def salmon(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Salmon command to its end."""
    return subprocess.run(
        [SALMON, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{cwd}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def started(cwd: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``salmon start`` in a project, ended at the end if it is not by then."""
    process = subprocess.Popen(
        [SALMON, "start", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{cwd}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def connect(port: int) -> smtplib.SMTP:
    """A client, as soon as somebody listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def accepts(port: int, recipient: str) -> bool:
    """Whether the recipient is accepted."""
    with connect(port) as client:
        client.ehlo("client.example")
        client.mail("ann@elsewhere.example")
        return client.rcpt(recipient)[0] == 250


def records(project: Path, count: int) -> list[dict[str, Any]]:
    """The first records in the log, as soon as there are so many."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = [
            json.loads(line)
            for path in sorted((project / "run" / "log").glob("*.jsonl"))
            for line in path.read_text().rpartition("\n")[0].splitlines()  # it may be growing
        ]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def readme_blocks(name: str) -> str:
    """The code of the README that is for this file."""
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(rf"^```\w+\n# {re.escape(name)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks, f"the README has no code for {name}"
    return "\n".join(blocks)


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, int]:
    """What ``salmon gen`` makes, changed by the lines the README gives, on a free port."""
    where, port = tmp_path / "project", free_port()
    assert salmon("gen", str(where), cwd=tmp_path).returncode == 0
    for name in ("config/settings.py", "config/boot.py", "config/testing.py"):
        with (where / name).open("a") as file:
            file.write("\n" + readme_blocks(name).replace("127.0.0.1:2025", f"127.0.0.1:{port}"))
    boot = where / "config" / "boot.py"
    text = boot.read_text()
    made = re.search(r"^settings\.receiver = LMTPReceiver\(.*?\)\n", text, re.MULTILINE | re.DOTALL)
    assert made, "the README says to take these lines out"
    boot.write_text(text.replace(made[0], ""))
    (where / "config" / "listener_domains.toml").write_text(
        readme_blocks("config/listener_domains.toml")
    )
    return where, port


@pytest.mark.parametrize("mode", ["--no-daemon", "--debug"])
def test_a_generated_project(project: tuple[Path, int], mode: str) -> None:
    """It accepts, refuses, logs and queues; SIGTERM ends it with exit status 0."""
    where, port = project
    with started(where, mode) as process:
        with connect(port) as client:
            client.ehlo("client.example")
            client.mail("ann@elsewhere.example")
            assert client.rcpt("bob@example.com")[0] == 250
            assert client.data(make_letter("bob@example.com"))[0] == 250
            client.mail("")
            assert client.rcpt("v@bounce.example.com")[0] == 250
            assert client.data(make_bounce("gone@nowhere.example"))[0] == 250
        kinds = {record["type"] for record in records(where, 2)}
        assert {"Reception", "OOB"} <= kinds
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output


def test_salmon_stop(project: tuple[Path, int]) -> None:
    """A daemon: SIGHUP alone reloads its rules, ``salmon stop`` ends it."""
    where, port = project
    daemon = salmon("start", cwd=where)
    pid_file = where / "run" / "smtp.pid"
    connect(port).quit()
    pid = int(pid_file.read_text())
    try:
        rules = where / "config" / "listener_domains.toml"
        rules.write_text('["new.example"]\nrelay_to = true\n')
        os.kill(pid, signal.SIGHUP)
        until(lambda: accepts(port, "bob@new.example"))
        assert salmon("stop", cwd=where).returncode == 0
        until(lambda: not Path(f"/proc/{pid}").exists())
    finally:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
    assert daemon.returncode == 0


@pytest.mark.parametrize(
    ("address", "handlers"),
    [
        ("x@bounce.example.com", {"gate", "oob", "drop", "relay"}),
        ("x@fbl.example.com", {"gate", "arf", "drop", "relay"}),
        ("x@any.example.com", {"gate", "arf", "oob", "drop", "relay"}),
        ("x@www.example.com", {"gate", "relay"}),
    ],
)
def test_salmon_routes_here(address: str, handlers: set[str]) -> None:
    """``salmon routes config.testing --test`` shows what applies, in words."""
    done = salmon("routes", "config.testing", "--test", address, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    matches = done.stdout.split(" matches:")[1]
    found = set(re.findall(r"kumo_handlers\.handlers\.(\w+)\.START", matches))
    assert found == handlers
    assert "recipients with log_oob: bounce.example.com, *.example.com" in done.stdout


def test_salmon_routes_in_a_generated_project(project: tuple[Path, int]) -> None:
    """The README's lines are enough for it."""
    done = salmon("routes", "config.testing", "--test", "x@bounce.example.com", cwd=project[0])
    assert "kumo_handlers.handlers.oob.START" in done.stdout, done.stderr

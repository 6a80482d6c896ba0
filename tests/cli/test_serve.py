"""``kumo-handlers serve``: the whole system in one command, and how it fails."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.testing import make_bounce, make_letter
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()", "serve"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command with a few rules, and its port."""
    (tmp_path / "rules.toml").write_text(
        '["example.com"]\nrelay_to = true\n["bounce.example.com"]\nlog_oob = true\n'
    )
    port = free_port()
    options = ["--listener-domains", "rules.toml", "--listen", f"127.0.0.1:{port}"]
    options += ["--relay-hosts", "192.0.2.0/24", "--hostname", "mx.example.com"]
    process = subprocess.Popen(
        [*COMMAND, *options],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process, port
    if process.poll() is None:
        process.kill()
    process.communicate()


def connect(port: int) -> smtplib.SMTP:
    """A client, as soon as somebody listens."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port, timeout=20)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_it_decides_and_says_so(serving: tuple[subprocess.Popen[str], int], tmp_path: Path) -> None:
    """Replies as the rules say; records in the log and, readable, on the terminal; a clean stop."""
    process, port = serving
    with connect(port) as client:
        client.ehlo("client.example")
        assert client.ehlo_resp.startswith(b"mx.example.com")
        client.mail("ann@elsewhere.example")
        assert client.rcpt("x@far.example")[0] == 550
        assert client.rcpt("bob@example.com")[0] == 250
        assert client.data(make_letter("bob@example.com"))[0] == 250
        client.mail("")
        client.rcpt("v@bounce.example.com")
        assert client.data(make_bounce("gone@nowhere.example"))[0] == 250
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    lines = "".join(path.read_text() for path in (tmp_path / "run" / "log").glob("*.jsonl"))
    for kind in ("Rejection", "Reception", "OOB"):
        assert f'"type":"{kind}"' in lines
        assert kind in output
    assert "gone@nowhere.example" in output
    assert f" INFO kumo_handlers.smtp.server: listening on 127.0.0.1:{port}\n" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--listener-domains", "none.toml"], "none.toml: cannot be read"),
        (["--listener-domains", "bad.toml"], "bad.toml:2: domain example.com, option relay_too"),
        (["--listener-domains", "good.toml", "--listen", "nowhere"], "expected IP:PORT"),
        (["--listener-domains", "good.toml", "--relay", "somewhere"], "expected HOST:PORT"),
        (["--listener-domains", "good.toml", "--relay", "a.example:99999"], "expected HOST:PORT"),
        (["--listener-domains", "good.toml", "--run-dir", "good.toml"], "cannot be made"),
        (
            ["--listener-domains", "good.toml", "--relay-hosts", "10.0.0.1/24"],
            "Did you mean 10.0.0.0/24?",
        ),
    ],
)
def test_mistakes(tmp_path: Path, options: list[str], message: str) -> None:
    """One line that says where, and exit status 1; no traceback."""
    (tmp_path / "good.toml").write_text('["example.com"]\nrelay_to = true\n')
    (tmp_path / "bad.toml").write_text('["example.com"]\nrelay_too = true\n')
    done = subprocess.run(
        [*COMMAND, *options],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr

"""``kumo-handlers log``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.log import log

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()", "log"]


def run(run_dir: Path, *words: str, color: bool = False) -> Result:
    """The command on this log."""
    return CliRunner().invoke(log, ["--run-dir", str(run_dir), *words], color=color)


def test_a_line_a_record(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When, type, who to whom, the answer, the rule; bytes as bytes."""
    monkeypatch.setenv("TZ", "UTC")
    shown = run(run_dir).output.splitlines()
    assert len(shown) == 20
    assert shown[12].endswith("<news@bounce.example.com> → <u1@gmail.com>  250 OK  [relay_to]")
    assert shown[13].endswith("550 5.1.1 No such user  InvalidRecipient")
    assert shown[16].endswith("250 OK  abuse")
    assert r"<a@\xff>" in shown[-1]
    assert shown[0][:10] == "2026-01-31"


def test_colour_is_for_terminals(run_dir: Path) -> None:
    """A file gets none."""
    assert "\x1b[" not in run(run_dir).output
    assert "\x1b[35mOOB" in run(run_dir, "--type", "OOB", color=True).output


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--type", "oob"), 2),
        (("--type", "OOB", "--type", "Feedback"), 5),
        (("--domain", "nowhere.example"), 6),
        (("--domain", "GMAIL.com"), 11),
        (("--domain", "*.example.com", "--type", "Feedback"), 3),
        (("--since", "2026-01-31T11:00+00:00"), 6),
        (("--last", "3"), 3),
        (("--last", "3", "--type", "Delivery"), 3),
        (("--last", "99"), 20),
        (("--since", "1min"), 0),
    ],
)
def test_filters(run_dir: Path, words: tuple[str, ...], count: int) -> None:
    """Each condition for itself."""
    done = run(run_dir, *words)
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) == count


def test_last_in_the_order_of_the_log(run_dir: Path) -> None:
    """The last ones, the newest at the end."""
    shown = run(run_dir, "--last", "2", "--type", "Delivery", "--json").output.splitlines()
    assert [json.loads(line)["recipient"] for line in shown] == [
        "u2@nowhere.example",
        "u3@nowhere.example",
    ]


def test_json_is_the_line_itself(run_dir: Path) -> None:
    """Byte for byte."""
    files = sorted((run_dir / "log").glob("*.jsonl"))
    assert run(run_dir, "--json").stdout_bytes == b"".join(path.read_bytes() for path in files)


def test_what_is_no_record(run_dir: Path) -> None:
    """It is named on standard error, and the others are shown."""
    (newest,) = sorted((run_dir / "log").glob("*.jsonl"))[-1:]
    newest.write_bytes(b'{"type":\n' + newest.read_bytes() + b'{"torn')
    done = run(run_dir)
    assert len(done.stdout.splitlines()) == 20
    assert "no record: b'{\"type\":'" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--since", "yesterday"), "expected such as 2h"),
        (("--type", "Bounces"), "'bounce'"),
        (("--domain", "a b"), "is not a domain"),
        (("--last", "0"), "0 is not in the range"),
    ],
)
def test_mistakes(run_dir: Path, words: tuple[str, ...], message: str) -> None:
    """What was expected is said."""
    done = run(run_dir, *words)
    assert done.exit_code == 2
    assert message in done.output


def test_no_log(tmp_path: Path) -> None:
    """An error in words."""
    done = run(tmp_path)
    assert done.exit_code == 1
    assert "there is no log" in done.output


def test_follow(run_dir: Path) -> None:
    """The last ten, then what comes, in the segment there is and in the next one."""
    process = subprocess.Popen(
        [*COMMAND, "--follow", "--json", "--type", "Delivery", "--run-dir", str(run_dir)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        old = [json.loads(process.stdout.readline())["recipient"] for _ in range(10)]
        assert old[0] == "u2@gmail.com"
        line = (run_dir / "log" / "20260131-100000.jsonl").read_bytes().splitlines()[0]
        for name in ("20260131-110000.jsonl", "20260131-120000.jsonl"):
            with (run_dir / "log" / name).open("ab") as file:
                file.write(line + b"\n")
            assert json.loads(process.stdout.readline())["recipient"] == "u0@gmail.com"
    finally:
        process.terminate()
        process.communicate()

"""``kumo-handlers replay``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from kumo_handlers.cli.main import main

MESSAGES = Path(__file__).parents[1] / "journal" / "messages"


def replay(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["replay", *arguments])


def test_logged_once(tmp_path: Path) -> None:
    """What can be read by now is in the log when the command ends, and not twice."""
    kept = tmp_path / "unparsed"
    kept.mkdir()
    shutil.copy(MESSAGES / "complaint.eml", kept / "c1.eml")
    shutil.copy(MESSAGES / "unreadable.eml", kept / "u1.eml")
    first = replay("--run-dir", str(tmp_path))
    assert first.exit_code == 0, first.output
    assert "c1.eml: logged Feedback complaints@fbl.sender.example\n" in first.output
    assert "u1.eml: kept, " in first.output
    shutil.copy(MESSAGES / "complaint.eml", kept / "c1.eml")  # it did not go away
    assert replay("--run-dir", str(tmp_path)).exit_code == 0
    lines = [
        line
        for path in (tmp_path / "log").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert [json.loads(line)["type"] for line in lines] == ["Feedback"]


def test_settings_that_are_not_there() -> None:
    """An error that names the module."""
    found = replay("--settings", "no.such.settings")
    assert (found.exit_code, "no.such.settings" in found.output) == (1, True)


def test_nothing_to_read(tmp_path: Path) -> None:
    """It is said, and nothing else: what a start would warn of does not matter here."""
    found = replay("--run-dir", str(tmp_path))
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == f"{tmp_path}/unparsed: nothing is kept there\n"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Another name was meant: nothing was read, and that is no success."""
    found = replay("--run-dir", str(tmp_path / "rum"))
    assert (found.exit_code, found.output) == (
        1,
        f"Error: {tmp_path}/rum: there is no such folder\n",
    )


def test_no_warning_about_rules_and_relay(tmp_path: Path) -> None:
    """Also where there is something to log, and the queue is opened for it."""
    (tmp_path / "unparsed").mkdir()
    shutil.copy(MESSAGES / "complaint.eml", tmp_path / "unparsed" / "c1.eml")
    command = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()", "replay"]
    found = subprocess.run(
        [*command, "--run-dir", tmp_path], capture_output=True, text=True, check=True
    )
    assert (found.stdout.startswith("c1.eml: logged Feedback"), found.stderr) == (True, "")

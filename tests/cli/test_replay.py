"""``kumo-handlers replay``."""

from __future__ import annotations

import json
import shutil
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

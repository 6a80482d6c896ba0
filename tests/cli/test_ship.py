"""``kumo-handlers ship status``: how far each destination is, from its file alone."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.shipping import state
from kumo_handlers.shipping.state import Place, State

if TYPE_CHECKING:
    from pathlib import Path

SEGMENT = "20260131-100000.jsonl"


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """One destination that has all of it, and one that has the half."""
    (tmp_path / "log").mkdir()
    (tmp_path / "ship").mkdir()
    (tmp_path / "log" / SEGMENT).write_bytes(b"x" * 100)
    place = Place(SEGMENT, 1, 100, 2)
    there = State(name="hook", place=place, shipped=1234, updated=time.time())
    away = State(
        name="base", place=Place(SEGMENT, 1, 50, 1), behind=1, oldest=time.time() - 90, error="away"
    )
    for each in (there, away):
        state.save(tmp_path / "ship", each)
    return tmp_path


def status(run_dir: Path, *words: str) -> tuple[int, str]:
    """Exit status and output."""
    done = CliRunner().invoke(main, ["ship", "status", "--run-dir", str(run_dir), *words])
    return done.exit_code, done.output


def test_a_row_for_each(run_dir: Path) -> None:
    """What it has, what it lacks, since when, and why."""
    code, said = status(run_dir)
    head, base, hook = (line.split() for line in said.splitlines())
    assert code == 0
    assert head[:3] == ["destination", "place", "shipped"]
    assert base == ["base", f"{SEGMENT}:50", "0", "1", "50", "90", "s", "0", "0", "away"]
    assert hook == ["hook", f"{SEGMENT}:100", "1,234", "0", "0", "0", "s", "0", "0"]


def test_for_scripts(run_dir: Path) -> None:
    """One object a line."""
    _, said = status(run_dir, "--json")
    base, hook = map(json.loads, said.splitlines())
    assert (base["size"], hook["size"]) == (50, 0)
    assert base["state"]["error"] == "away"


def test_a_state_that_cannot_be_read(run_dir: Path) -> None:
    """Is an error that names the file."""
    (run_dir / "ship" / "bad.json").write_text("{")
    code, said = status(run_dir)
    assert code == 1
    assert "bad.json" in said


def test_nothing_was_ever_shipped(tmp_path: Path) -> None:
    """It says so."""
    code, said = status(tmp_path)
    assert code == 1
    assert "nothing was ever shipped" in said

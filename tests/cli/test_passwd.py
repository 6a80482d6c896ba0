"""``kumo-handlers passwd``: the file AUTH is checked by."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.pipeline.authentication import read_passwords

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str, given: str | bytes = "") -> tuple[int, str]:
    """Exit status and output of the command."""
    result = CliRunner().invoke(main, ["passwd", *arguments], input=given)
    return result.exit_code, result.output


def test_setting_changing_and_deleting(tmp_path: Path) -> None:
    """The file holds hashes, for its owner's eyes alone."""
    file = tmp_path / "passwords"
    assert run(str(file), "ann", "--stdin", given="correct horse\n") == (0, "")
    assert run(str(file), "bob", "--stdin", given="battery\n") == (0, "")
    known = read_passwords(str(file))
    assert known["ann"].is_of("correct horse")
    assert not known["ann"].is_of("battery")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "horse" not in file.read_text()
    run(str(file), "ann", "--stdin", given="staple\n")
    assert read_passwords(str(file))["ann"].is_of("staple")
    run(str(file), "ann", "--delete")
    assert list(read_passwords(str(file))) == ["bob"]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("a:b", "x\n", "has no colon"),
        ("#ann", "x\n", "has no colon"),
        ("", "x\n", "is printable"),
        (" ann", "x\n", "is printable"),
        ("ann", "\n", "is empty"),
        ("ann", b"\xe9t\xe9\n", "is not UTF-8"),
    ],
)
def test_mistakes(tmp_path: Path, name: str, given: str | bytes, message: str) -> None:
    """Nothing is written."""
    status, output = run(str(tmp_path / "passwords"), name, "--stdin", given=given)
    assert status == 2
    assert message in output
    assert not (tmp_path / "passwords").exists()


def test_deleting_who_is_not_there(tmp_path: Path) -> None:
    """The wrong name, or the wrong file, is said; nothing is made, nothing written."""
    file = tmp_path / "passwords"
    assert run(str(file), "ann", "--delete") == (1, f"Error: {file}: ann is not there\n")
    assert not file.exists()


def test_a_broken_file_is_not_overwritten(tmp_path: Path) -> None:
    """The error names the line."""
    file = tmp_path / "passwords"
    file.write_text("ann:secret\n")
    status, output = run(str(file), "bob", "--stdin", given="x\n")
    assert status == 1
    assert "passwords:1: wrong line" in output
    assert file.read_text() == "ann:secret\n"

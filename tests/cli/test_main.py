"""The command's table: each row leads somewhere, and none costs before it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import click
import pytest
from click.testing import CliRunner

import kumo_handlers
from kumo_handlers.cli.main import COMMANDS, main

LETTER = Path(__file__).parents[1] / "journal" / "messages" / "bounce.eml"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_row_leads_to_a_command(name: str) -> None:
    """The place is right, the summary a sentence, and there is help."""
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    assert command.help
    assert COMMANDS[name].summary.endswith(".")


def test_help_lists_all() -> None:
    """All commands stand in the help of the group."""
    shown = CliRunner().invoke(main, ["--help"]).output
    assert [name for name in COMMANDS if f"\n  {name}" not in shown] == []


def test_help_imports_no_command() -> None:
    """Nor what commands need: a shell's completion must not wait."""
    code = (
        "import sys; from click.testing import CliRunner; from kumo_handlers.cli.main import main;"
        "CliRunner().invoke(main, ['--help']);"
        "print([name for name in sys.modules if name.startswith('kumo_handlers.')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "kumo_handlers.reports" not in shown.stdout
    assert "kumo_handlers.boot" not in shown.stdout


def test_unknown_command() -> None:
    """It is said, with exit status 2."""
    found = CliRunner().invoke(main, ["nonsense"])
    assert (found.exit_code, "No such command" in found.output) == (2, True)


def test_version() -> None:
    """The package's own."""
    assert kumo_handlers.__version__ in CliRunner().invoke(main, ["--version"]).output


FAILING = {
    "a folder that is not there": ["scrub", str(LETTER), "-o", "/nowhere/out.eml"],
    "a page that cannot be written": ["stats", "--run-dir", "{run}", "--html", "/nowhere/a.html"],
    "a picture that cannot be written": ["stats", "--run-dir", "{run}", "--png", "/nowhere/a.png"],
}


@pytest.mark.parametrize("arguments", FAILING.values(), ids=FAILING)
def test_what_the_system_refuses(arguments: list[str], run_dir: Path) -> None:
    """It is one line, with the file and the reason, and exit status 1; no traceback."""
    found = CliRunner().invoke(main, [each.format(run=run_dir) for each in arguments])
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr == f"Error: {arguments[-1]}: No such file or directory\n"


@pytest.mark.parametrize(
    "arguments", [["log"], ["log", "--json"], ["stats"], ["stats", "--json"]], ids=" ".join
)
def test_a_full_disk_behind_standard_output(arguments: list[str], run_dir: Path) -> None:
    """The command says so, and fails; no traceback."""
    with Path("/dev/full").open("wb") as full:
        found = _run([*arguments, "--run-dir", str(run_dir)], stdout=full)
    assert (found.returncode, found.stderr) == (1, "Error: No space left on device\n")


def test_a_reader_that_has_enough(run_dir: Path) -> None:
    """Whoever closes the pipe is not shouted at."""
    reading, writing = os.pipe()
    os.close(reading)
    found = _run(["log", "--run-dir", str(run_dir)], stdout=writing)
    os.close(writing)
    assert (found.returncode, found.stderr) == (1, "")


def test_a_terminal_of_another_alphabet(run_dir: Path) -> None:
    """What it does not have is a question mark."""
    found = _run(
        ["stats", "--by", "class", "--run-dir", str(run_dir)],
        stdout=subprocess.PIPE,
        environment={"PYTHONIOENCODING": "latin-1"},
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert "InvalidRecipient" in found.stdout
    assert "?" in found.stdout


def _run(
    arguments: list[str], stdout: int | IO[bytes], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command as a process, whose standard output is a real one."""
    return subprocess.run(
        [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | (environment or {}),
        text=True,
        check=False,
    )

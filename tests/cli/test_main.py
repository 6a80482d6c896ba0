"""The command's table: each row leads somewhere, and none costs before it is called."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import kumo_handlers
from kumo_handlers.cli.main import COMMANDS, main


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

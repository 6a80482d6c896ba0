"""The page of the commands: complete, and its examples print what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.policy.advice.table import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "commands.md").read_text()
PROMPT = "$ kumo-handlers "


def commands(group: click.Command = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its name, those of groups too."""
    if not isinstance(group, click.Group):
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path}{name}", command
        yield from commands(command, f"{path}{name} ")


def section(name: str) -> str:
    """What stands below a command's heading, up to the next one."""
    found = re.search(rf"^##+ {name}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"{name} has no section"
    return found[1]


@pytest.mark.parametrize(
    ("name", "command"), [pytest.param(*each, id=each[0]) for each in commands()]
)
def test_every_option_is_documented(name: str, command: click.Command) -> None:
    """With the words of its help, so that the page cannot fall behind it."""
    text = section(name)
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "help":
            record = option.get_help_record(click.Context(command))
            assert record is not None
            assert f"- `{record[0]}`: {' '.join(record[1].split())}\n" in f"{text}\n"


def test_no_command_is_made_up() -> None:
    """Each heading is a command's."""
    known = {name for name, _ in commands()}
    assert set(re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)) == known


def test_every_warning_is_documented() -> None:
    """The kinds that are printed in brackets."""
    kinds = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    beside = {"lua-list", "handler-order", "misspelt-setting", "unsigned-webhook"}
    assert kinds == CHECKS.keys() | beside


def examples() -> Iterator[tuple[str, str]]:
    """Each command line on the page, and what stands below it."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        for example in block.split(PROMPT)[1:]:
            line, _, output = example.partition("\n")
            yield line, output


@pytest.mark.parametrize(("line", "output"), list(examples()))
def test_examples_print_what_the_page_says(
    line: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run where the page says it is run."""
    monkeypatch.chdir(DOCS / "examples")
    found = CliRunner().invoke(main, shlex.split(line), catch_exceptions=False)
    assert found.output.rstrip() == output.rstrip()


def test_the_expectation_on_the_page_is_one_of_the_file() -> None:
    """What is shown is what is run."""
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert shown in (DOCS / "examples" / "expected.toml").read_text()

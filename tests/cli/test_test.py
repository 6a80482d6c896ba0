"""``kumo-handlers test``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.main import main

RULES = Path(__file__).parent / "rules"
COMMAND = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()"]


def test(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["test", *arguments], catch_exceptions=False)


test.__test__ = False  # type: ignore[attr-defined] # it is what the command is called


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(RULES)


def test_expectations_that_hold() -> None:
    """One line, and exit status 0."""
    found = test("expected.toml")
    assert (found.exit_code, found.stdout) == (0, "4 passed, 0 failed\n")


def test_expectations_that_do_not() -> None:
    """Each with its line, what was expected, what is, and why."""
    found = test("wrong.toml")
    assert found.exit_code == 1
    assert found.stdout == Path("wrong.toml.tested").read_text()


def test_the_files_are_found_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be run from anywhere."""
    monkeypatch.chdir(tmp_path)
    assert test(str(RULES / "expected.toml")).exit_code == 0


def test_later_files_win(tmp_path: Path) -> None:
    """The order of `listener_domains` is that of the file."""
    (tmp_path / "z.toml").write_text('["example.com"]\nrelay_to = true\n')
    (tmp_path / "a.toml").write_text('["example.com"]\nrelay_to = false\n')
    asked = 'peer = "192.0.2.1"\nfrom = ""\nto = "x@example.com"\nanswer = "refuse"\n'
    path = tmp_path / "expected.toml"
    path.write_text(f'listener_domains = ["z.toml", "a.toml"]\n[[expect]]\n{asked}')
    assert test(str(path)).exit_code == 0


def test_another_policy() -> None:
    """An option names another one, to be tested before it is in force."""
    found = test("expected.toml", "--listener-domains", "/dev/null")
    assert found.exit_code == 1
    assert "recipient: no entry" in found.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expect = 5", "expect is no list of tables"),
        ("[[expect]]\npeer = '::1'", ":1: from and to and answer must be said"),
        ("[[expected]]", "option expected: unknown option"),
        ("[[expect]", "is not TOML"),
        ('[[expect]]\npeer="x"\nfrom=""\nto="x@y"\nanswer="yes"', ":1: option answer: wrong value"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    """Errors say the file and the line."""
    path = tmp_path / "expected.toml"
    path.write_text(f"{text}\n")
    found = test(str(path))
    assert found.exit_code == 1
    assert message in found.stderr


def test_what_cannot_be_asked_fails(tmp_path: Path) -> None:
    """A question with a slip is a failure, not a traceback."""
    path = tmp_path / "expected.toml"
    path.write_text('[[expect]]\npeer="x"\nfrom=""\nto="x@y"\nanswer="accept"\n')
    found = test(str(path), "--listener-domains", "sample.toml")
    assert found.exit_code == 1
    assert "option peer: wrong value" in found.stdout


def test_as_a_command() -> None:
    """As a shell runs it, with an exit status for a continuous integration."""
    for name, status in (("expected.toml", 0), ("wrong.toml", 1)):
        found = subprocess.run(
            [*COMMAND, "test", name], cwd=RULES, capture_output=True, text=True, check=False
        )
        assert found.returncode == status, found.stderr

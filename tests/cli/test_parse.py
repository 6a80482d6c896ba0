"""``kumo-handlers parse``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.main import main

MESSAGES = Path(__file__).parents[1] / "journal" / "messages"


def parse(*arguments: str | Path, given: bytes = b"", **env: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(
        main, ["parse", *map(str, arguments)], input=given, env=env, catch_exceptions=False
    )


def test_json_lines() -> None:
    """One record a line on standard output, nothing else there."""
    found = parse(MESSAGES / "bounce.eml", MESSAGES / "complaint.eml")
    types = [json.loads(line)["type"] for line in found.stdout.splitlines()]
    assert types == ["OOB", "OOB", "Feedback"]
    assert found.stderr == ""


def test_standard_input() -> None:
    """Without a file the message is read from there."""
    found = parse(given=(MESSAGES / "complaint.eml").read_bytes())
    assert json.loads(found.stdout)["type"] == "Feedback"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("letter.eml", "neither a bounce nor a complaint"),
        ("unreadable.eml", "claims to be a report (dsn), not understood"),
    ],
)
def test_what_is_no_record_is_said(name: str, said: str) -> None:
    """On standard error, so that the output stays what a program reads."""
    assert said in parse(MESSAGES / name).stderr


def test_uncategorized_is_said() -> None:
    """A reply that no rule knows is shown, so that a rule can be written."""
    content = (MESSAGES / "bounce.eml").read_bytes()
    content = content.replace(b"550 5.1.1", b"599 5.0.0").replace(
        b"Status: 5.1.1", b"Status: 5.0.0"
    )
    found = parse(given=content.replace(b"user unknown", b"hm"))
    assert "Ann.Lee@dest.example: Uncategorized, no rule knows '599 5.0.0 " in found.stderr


def test_own_rules(tmp_path: Path) -> None:
    """A rule file of the user's is asked first; a bad one is an error that names the place."""
    rules = tmp_path / "rules.toml"
    rules.write_text("[rules]\nMine = ['user unknown']\n")
    found = parse("--classification", rules, MESSAGES / "bounce.eml")
    assert json.loads(found.stdout.splitlines()[0])["bounce_classification"] == "Mine"
    rules.write_text("[rules]\nMine = ['(']\n")
    found = parse("--classification", rules, MESSAGES / "bounce.eml")
    assert (found.exit_code, f"{rules}:2: " in found.stderr) == (1, True)


def test_explain() -> None:
    """A page for each message, its name on top."""
    found = parse("--explain", MESSAGES / "bounce.eml", MESSAGES / "letter.eml")
    assert found.stdout.startswith(f"{MESSAGES / 'bounce.eml'}\nstages\n")
    assert "neither a bounce nor a complaint" in found.stdout


def test_missing_file() -> None:
    """An error with its name, no traceback."""
    found = parse("missing.eml")
    assert (found.exit_code, found.stderr) == (1, "Error: missing.eml: No such file or directory\n")


def test_batch(tmp_path: Path) -> None:
    """One object for each name, also for what cannot be read."""
    names = [
        str(MESSAGES / "bounce.eml"),
        "missing.eml",
        str(MESSAGES / "letter.eml"),
        str(tmp_path),
    ]
    found = parse("--batch", given="\n".join(names).encode() + b"\n\n")
    answers = [json.loads(line) for line in found.stdout.splitlines()]
    assert [each["file"] for each in answers] == names
    assert [len(each["records"]) for each in answers] == [2, 0, 0, 0]
    assert [each["error"] is None for each in answers] == [True, False, True, False]
    assert all(each["us"] >= 0 for each in answers)
    assert answers[0]["records"][0]["type"] == "OOB"


@pytest.mark.parametrize("ends", ["lf", "crlf"])
def test_batch_with_other_line_ends(ends: str) -> None:
    """The environment can ask for them, as a measuring script does."""
    names = str(MESSAGES / "bounce.eml").encode()
    changed, as_it_is = (
        json.loads(parse("--batch", given=names, **env).stdout)["records"][0]
        for env in ({"PEER_EOL": ends}, {})
    )
    assert changed["report"]["key"] == as_it_is["report"]["key"]
    assert (changed["id"] == as_it_is["id"]) is (ends == "lf")


@pytest.mark.parametrize("more", [["bounce.eml"], ["--explain"]], ids=" ".join)
def test_batch_takes_neither_files_nor_pages(more: list[str]) -> None:
    """What would have no effect is refused, not passed over."""
    found = CliRunner().invoke(main, ["parse", "--batch", *more])
    assert (found.exit_code, found.stdout) == (2, "")
    assert "--batch reads names from standard input" in found.stderr

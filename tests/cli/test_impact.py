"""``kumo-handlers impact``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.main import main

RULES = Path(__file__).parent / "rules"
COMMAND = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()"]


def record(number: int, recipient: str, rule: str, kind: str = "Reception") -> dict[str, Any]:
    """As much of a record as is needed to decide again."""
    return {
        "type": kind,
        "id": str(number),
        "sender": "ann@elsewhere.example",
        "recipient": recipient,
        "peer_address": {"name": "client.example", "addr": "192.0.2.1"},
        "meta": {
            "rule": rule,
            "listener": "0.0.0.0:25",
            "local": "10.9.9.9:25",
            "reverse_path": "ann@elsewhere.example",
        }
        | ({"reason": "said so"} if kind == "Rejection" else {}),
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Some traffic under other rules than the sample's."""
    records = [
        *(record(number, f"u{number}@www.example.com", "relay_to") for number in range(5)),
        record(10, "bob@example.com", "relay_to"),
        record(11, "x@any.example.com", "none", "Rejection"),
        record(12, "x@nowhere.example", "relay_hosts"),
        record(13, "x@nowhere.example", "none", "Rejection"),
        record(14, "x@nowhere.example", "none", "Delivery"),
    ]
    folder = tmp_path / "log"
    folder.mkdir()
    lines = [json.dumps(each) for each in records]
    (folder / "20260131-100000.jsonl").write_text("\n".join(lines) + '\n{"type": "Recep')
    return folder


def impact(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["impact", *map(str, arguments)], catch_exceptions=False)


def test_page(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups, the largest first, each with three examples."""
    monkeypatch.chdir(RULES)
    found = impact("sample.toml", "--log", log)
    assert found.exit_code == 0
    assert found.stdout == Path("sample.toml.impact").read_text()


def test_all(log: Path) -> None:
    """Every mail of a group, where they are wanted."""
    shown = impact(RULES / "sample.toml", "--log", log, "--all").stdout
    assert shown.count("@www.example.com, from 192.0.2.1") == 5
    assert "more" not in shown


def test_json(log: Path) -> None:
    """The same for a script, whole."""
    answer = json.loads(impact(RULES / "sample.toml", "--log", log, "--json").stdout)
    assert answer["decisions"] == 9
    assert [len(change["mails"]) for change in answer["changes"]] == [5, 1]
    assert answer["changes"][0]["before"] == "relayed"


def test_listeners_of_the_settings(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them, relay_hosts are not what the records say."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("impact_settings.py").write_text('listeners = [{"listen": "0:25", "relay_hosts": []}]\n')
    found = impact(RULES / "sample.toml", "--log", log, "--settings", "impact_settings")
    assert "relayed -> refused: 1 message\n  was: relay_hosts\n" in found.stdout


def test_no_records(tmp_path: Path) -> None:
    """A folder without any is said, for it may be the wrong one."""
    found = impact(RULES / "sample.toml", "--log", tmp_path)
    assert (found.exit_code, "there are no records" in found.stderr) == (1, True)


def test_as_a_command(log: Path) -> None:
    """As a shell runs it."""
    found = subprocess.run(
        [*COMMAND, "impact", "sample.toml", "--log", str(log)],
        cwd=RULES,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == (RULES / "sample.toml.impact").read_text()

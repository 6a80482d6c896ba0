"""``kumo-handlers check``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from salmon.routing import Router

from kumo_handlers.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = Path(__file__).parent / "rules"
BAD_SETTINGS = Path(__file__).parent / "bad_settings"
COMMAND = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()"]
SETTINGS = """
import kumo_handlers
listener_domains = ["sample.toml"]
listeners = [{"listen": "127.0.0.1:25"}, {"listen": "127.0.0.1:26"}]
handlers = kumo_handlers.pipeline()
"""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Importing settings changes the path, and imports modules of the test's own."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(Router, "REGISTERED", dict(Router.REGISTERED))
    monkeypatch.setattr(Router, "ORDER", list(Router.ORDER))
    before = set(sys.modules)
    yield
    for name in sys.modules.keys() - before:
        if name.partition(".")[0] in {"config", *(path.stem for path in BAD_SETTINGS.glob("*.py"))}:
            del sys.modules[name]


def check(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", *arguments], catch_exceptions=False)


def test_sample_of_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be loaded; what is odd about it is said, with file, line and hint."""
    monkeypatch.chdir(RULES)
    found = check("sample.toml")
    assert found.exit_code == 0
    assert found.output == Path("sample.toml.checked").read_text()


def test_broken_copy_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mistake at once, the line as it stands there, a hint, and exit status 1."""
    monkeypatch.chdir(RULES)
    found = check("broken.toml")
    assert found.exit_code == 1
    assert found.output == Path("broken.toml.checked").read_text()


def test_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are errors: the same lines, another word, another status."""
    monkeypatch.chdir(RULES)
    found = check("sample.toml", "--strict")
    assert found.exit_code == 1
    expected = Path("sample.toml.checked").read_text().replace("warning:", "error:")
    assert found.output == expected.replace("no errors, 2 warnings", "2 errors, no warnings")


@pytest.mark.parametrize(
    "name", [*sorted(path.stem for path in BAD_SETTINGS.glob("bad_*.py")), "not_there"]
)
def test_bad_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with mistakes of one sort, and all that is said about them."""
    monkeypatch.chdir(BAD_SETTINGS)
    found = check("--settings", name)
    assert found.output == (BAD_SETTINGS / f"{name}.expected").read_text()
    assert found.exit_code == (": no errors" not in found.output)


def test_the_projects_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word, those of the folder are checked: rules, listeners, handlers."""
    monkeypatch.chdir(tmp_path)
    Path("config").mkdir()
    Path("config", "__init__.py").touch()
    Path("config", "settings.py").write_text(SETTINGS)
    Path("sample.toml").write_text((RULES / "sample.toml").read_text())
    for name in ("config", "config.settings"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = check()
    assert found.exit_code == 0
    assert found.output.endswith("1 file, 7 entries: no errors, 2 warnings\n")


def test_new_rules_with_the_projects_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """FILE stands in for the rules of the settings."""
    monkeypatch.chdir(BAD_SETTINGS)
    found = check("--settings", "bad_order", str(RULES / "sample.toml"))
    assert "nothing listens on 127.0.0.1:25" in found.output


def test_nothing_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file nor a project."""
    monkeypatch.chdir(tmp_path)
    found = check()
    assert found.exit_code == 1
    assert "there is no config.settings in this folder" in found.stderr


def test_as_a_command() -> None:
    """As a shell runs it, with the exit status for a continuous integration."""
    for name, status in (("sample.toml", 0), ("broken.toml", 1), ("missing.toml", 1)):
        found = subprocess.run(
            [*COMMAND, "check", name], cwd=RULES, capture_output=True, text=True, check=False
        )
        assert found.returncode == status, found.stderr
        assert "Traceback" not in found.stderr


def test_a_hundred_thousand_domains(tmp_path: Path) -> None:
    """In a few seconds, all warnings included, whatever else the machine does."""
    random = Random(1)  # noqa: S311 - the same names each time
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = {"".join(random.choices(letters, k=random.randint(5, 14))) for _ in range(110_000)}
    lines = [f'["{name}.example"]\nrelay_to = true\nlog_oob = false\n' for name in names]
    path = tmp_path / "large.toml"
    path.write_text("".join(lines[:100_000]))
    start = time.process_time()
    found = check(str(path))
    assert found.exit_code == 0
    assert "100000 entries" in found.output
    assert time.process_time() - start < 8  # 1.9 s where it was written

"""``--map-path``: a policy that names paths of another machine, asked about on this one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.cli.mapped_paths import pairs
from kumo_handlers.errors import ConfigurationError

POLICY = str(Path(__file__).parents[2] / "config" / "policy.lua")
ELSEWHERE = "/opt/kumomta/etc"
ASKED = {
    "check": ["check", POLICY],
    "explain": [
        "explain",
        "--policy",
        POLICY,
        "--peer",
        "::1",
        "--from",
        "",
        "--to",
        "a@b.example",
    ],
}


@pytest.mark.parametrize("command", ASKED)
def test_found_where_it_is_mapped_to(command: str) -> None:
    """Without it the file that the policy names is not there; with it the command answers."""
    missing = CliRunner().invoke(main, ASKED[command])
    assert missing.exit_code == 1
    assert f"{ELSEWHERE}/" in missing.output
    mapped = f"{ELSEWHERE}={Path(POLICY).parent}"
    found = CliRunner().invoke(main, [*ASKED[command], "--map-path", mapped])
    assert found.exit_code == 0, found.output
    assert ELSEWHERE not in found.output


@pytest.mark.parametrize("text", ["", "a", "=a", "a="])
def test_mistakes(text: str) -> None:
    """The option and what it should look like are said."""
    with pytest.raises(ConfigurationError, match=r"--map-path.*FROM=TO"):
        pairs(("a=b", text))

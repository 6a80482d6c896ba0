"""``kumo-handlers scrub``."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.reports import scrubbing

BOUNCE = Path(__file__).parents[1] / "journal" / "messages" / "bounce.eml"


def test_to_standard_output() -> None:
    """The scrubbed bytes and nothing else."""
    found = CliRunner().invoke(main, ["scrub", str(BOUNCE)])
    assert found.stdout_bytes == scrubbing.scrub(BOUNCE.read_bytes())


def test_to_a_file(tmp_path: Path) -> None:
    """From standard input, into a file."""
    target = tmp_path / "out.eml"
    found = CliRunner().invoke(main, ["scrub", "-o", str(target)], input=BOUNCE.read_bytes())
    assert (found.exit_code, found.output) == (0, "")
    assert b"Ann" not in target.read_bytes()

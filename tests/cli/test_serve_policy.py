"""``kumo-handlers serve --policy``: a KumoMTA policy from the command line, and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kumo_handlers.cli import serve as command
from kumo_handlers.pipeline import rules
from kumo_handlers.pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
POLICY = ["--policy", str(ROOT / "config" / "policy.lua")]


class StoppedError(Exception):
    """Instead of listening."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """The settings that the receiver is made of; nothing listens."""
    monkeypatch.chdir(tmp_path)
    settings: list[object] = []

    def receiver(module: object) -> None:
        settings.append(module)
        raise StoppedError

    monkeypatch.setattr(command, "receiver", receiver)
    return settings


def test_the_policy_says_where_to_listen(asked: list[object]) -> None:
    """Paths that it names are mapped; the listeners are its own."""
    mapped = f"/opt/kumomta/etc={ROOT / 'config'}"
    result = CliRunner().invoke(command.serve, [*POLICY, "--map-path", mapped])
    assert isinstance(result.exception, StoppedError)
    (module,) = asked
    policy = rules.load(Settings.read(vars(module)))
    assert [each.listen for each in policy.listeners] == ["127.0.0.1:2025", "127.0.0.1:2026"]


def test_metrics(asked: list[object]) -> None:
    """Where Prometheus asks is a setting like any other."""
    CliRunner().invoke(command.serve, [*POLICY, "--metrics", "127.0.0.1:9125"])
    (module,) = asked
    assert Settings.read(vars(module)).metrics == "127.0.0.1:9125"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "expected --listener-domains FILE, or --policy FILE"),
        ([*POLICY, "--map-path", "/opt/kumomta/etc"], "expected FROM=TO"),
        ([*POLICY, "--map-path", "=config"], "expected FROM=TO"),
    ],
)
def test_mistakes(asked: list[object], options: list[str], message: str) -> None:
    """One line, and exit status 1, before anything is loaded."""
    result = CliRunner().invoke(command.serve, options)
    assert result.exit_code == 1
    assert message in result.output
    assert not asked

"""The bar of a long task changes nothing about it."""

from __future__ import annotations

import sys

import pytest

from kumo_handlers.cli import progress

PIECES = [b"one", b"two", b"three"]


@pytest.mark.parametrize("patience", [-1.0, 60.0])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_pieces_come_through(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    patience: float,
    is_terminal: bool,  # noqa: FBT001 - pytest passes it by name
) -> None:
    """All of them, in their order; a bar only where somebody waits and looks."""
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    assert list(progress.watched(iter(PIECES), 11, "counting")) == PIECES
    assert ("counting" in capsys.readouterr().err) is (is_terminal and patience < 0)

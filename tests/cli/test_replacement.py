"""A file in the place of another: whole, or not at all."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.cli.replacement import replacing
from kumo_handlers.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_begun_and_given_up(tmp_path: Path) -> None:
    """What was there stays, and nothing lies beside it."""
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(f"half{1 / 0}")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions(tmp_path: Path) -> None:
    """A new one has those asked for, one that is replaced keeps its own."""
    path = tmp_path / "file"
    for mode, expected in ((0o600, 0o600), (0o666, 0o600)):
        with replacing(path, mode) as file:
            file.write("text")
        assert stat.S_IMODE(path.stat().st_mode) == expected
    assert path.read_text() == "text"


def test_nowhere_to_write(tmp_path: Path) -> None:
    """The error names the file."""
    path = tmp_path / "nowhere" / "file"
    with (
        pytest.raises(ConfigurationError, match="nowhere/file: cannot be written: No such file"),
        replacing(path),
    ):
        pass

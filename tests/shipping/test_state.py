"""The file of a destination: whole or as it was, and never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.shipping import state
from kumo_handlers.shipping.state import Place, State

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And nothing else is left in the folder."""
    written = State(name="there", place=Place("a", 1, 2, 3), shipped=4, error="x")
    state.save(tmp_path, written)
    assert state.load(tmp_path, "there") == written
    assert [path.name for path in tmp_path.iterdir()] == ["there.json"]


def test_there_is_none_yet(tmp_path: Path) -> None:
    """It begins at the beginning."""
    assert state.load(tmp_path, "there").place == Place()


def test_it_cannot_be_understood(tmp_path: Path) -> None:
    """To ship all of the log again is no decision of ours."""
    state.path_of(tmp_path, "there").write_text("{")
    with pytest.raises(ValueError, match=r"there\.json: .*without the file, all of the log"):
        state.load(tmp_path, "there")


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before is there still."""
    state.save(tmp_path, State(name="there", shipped=1))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="space"):
        state.save(tmp_path, State(name="there", shipped=2))
    assert state.load(tmp_path, "there").shipped == 1

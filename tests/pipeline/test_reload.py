"""Files that are watched: replaced when they change, kept when the new ones are wrong."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline.reload import Reloader, Watched
from kumo_handlers.policy import source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to watch."""
    path = tmp_path / "rules.toml"
    path.write_text("one")
    return path


def test_replaced_once_for_each_change(file: Path) -> None:
    """Unchanged, it is left alone; a change, a deletion and a new file each count."""
    replaced: list[bool] = []
    watched = Watched(
        "rules", lambda: source.signature([str(file)]), lambda: replaced.append(file.exists())
    )
    watched.look()
    watched.check()
    assert replaced == []
    file.write_text("three")
    watched.check()
    watched.check()
    file.unlink()
    watched.check()
    file.write_text("three")
    watched.check()
    assert replaced == [True, False, True]


@pytest.mark.parametrize("error", [ConfigurationError("line 3"), ZeroDivisionError("line 3")])
def test_what_is_wrong_is_said_once(
    file: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The error is logged, not raised, and not again until the file changes again."""

    def fail() -> None:
        raise error

    watched = Watched("rules", lambda: source.signature([str(file)]), fail)
    watched.look()
    file.write_text("wrong")
    with caplog.at_level(logging.ERROR):
        watched.check()
        watched.check()
    assert len(caplog.records) == 1
    assert "the rules stay as they were" in caplog.text
    assert "line 3" in caplog.text


def test_a_passing_failure_is_tried_again(file: Path) -> None:
    """No descriptors left, say: the next look loads it."""
    tries: list[int] = []

    def fail_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(24, "Too many open files")

    watched = Watched("rules", lambda: source.signature([str(file)]), fail_once)
    watched.look()
    file.write_text("new")
    for _ in range(3):
        watched.check()
    assert len(tries) == 2


def test_asked_to_replace_all(file: Path) -> None:
    """Where it is more than what changed, it is done for whoever asks, and for nobody else."""
    done: list[str] = []
    watched = Watched(
        "rules",
        lambda: source.signature([str(file)]),
        lambda: done.append("changed"),
        lambda: done.append("all"),
    )
    watched.look()
    watched.check_all()
    watched.check()
    file.write_text("changed")
    watched.check()
    assert done == ["all", "changed"]


def test_asked_to(file: Path) -> None:
    """SIGHUP loads all again, changed or not, and says when it is done."""
    replaced, done = threading.Event(), threading.Event()
    reloader = Reloader(
        [Watched("rules", lambda: source.signature([str(file)]), replaced.set)], done.set
    )
    reloader.start()
    try:
        assert not replaced.wait(0.7)
        reloader.ask()
        assert done.wait(2)
        assert replaced.is_set()
    finally:
        reloader.stop()

"""The example application, as ``config.testing`` sets it up, in a folder of its own."""

from __future__ import annotations

import logging.config
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from salmon.routing import Router

from kumo_handlers.pipeline import installation
from kumo_handlers.testing import RecordingRelay

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
FOREIGN = ("app", "config", "kumo_handlers.handlers")


def forget_modules() -> None:
    """The application is imported anew by whoever needs it next."""
    for name in list(sys.modules):
        if name in FOREIGN or name.startswith(tuple(f"{each}." for each in FOREIGN)):
            del sys.modules[name]


@pytest.fixture
def suppression() -> str:
    """Where the application keeps its suppressions."""
    return "sqlite:run/suppression.sqlite3"


@pytest.fixture
def relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suppression: str
) -> Iterator[RecordingRelay]:
    """The application is loaded; this is what takes the mail it sends by itself."""
    for folder in ("app", "config"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "run").mkdir()
    with (tmp_path / "config" / "settings.py").open("a") as settings_file:
        settings_file.write(f"suppression = {suppression!r}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(logging.config, "fileConfig", lambda _: None)
    forget_modules()
    before = (dict(Router.REGISTERED), list(Router.ORDER), dict(Router.HANDLERS))
    Router.clear_routes()
    Router.HANDLERS.clear()
    from config import settings, testing  # noqa: F401 - as a Salmon app's tests do

    settings.relay = RecordingRelay()
    yield settings.relay
    installation.forget()
    forget_modules()
    Router.clear_routes()
    Router.REGISTERED.update(before[0])
    Router.ORDER.extend(before[1])
    Router.HANDLERS.clear()
    Router.HANDLERS.update(before[2])
    Router.LOG_EXCEPTIONS = True

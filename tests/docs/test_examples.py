"""What a reader copies from a page runs: Python, TOML, and the command lines."""

from __future__ import annotations

import logging.config
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
import pytest
import tomli
from salmon.routing import Router

from kumo_handlers.cli.main import main
from kumo_handlers.journal.sink import SINKS
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.receiver import Receiver
from kumo_handlers.pipeline.settings import Settings
from kumo_handlers.policy import tables
from kumo_handlers.reports import classification

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
OURS = ("app", "config", "kumo_handlers.handlers")


def blocks(kind: str) -> list[Any]:
    """Every block of that kind, named for its page and line."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            found.append(pytest.param(match[1], id=f"{page.name}:{line}"))
    return found


def forget_modules() -> None:
    """The application is imported anew by whoever needs it next."""
    for name in list(sys.modules):
        if name.split(".")[0] in OURS or name.startswith("kumo_handlers.handlers"):
            del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A copy of the example application, loaded; the names that its files have."""
    for folder in ("app", "config"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(logging.config, "fileConfig", lambda _: None)
    forget_modules()
    before = (dict(Router.REGISTERED), list(Router.ORDER), dict(Router.HANDLERS), dict(SINKS))
    Router.clear_routes()
    Router.HANDLERS.clear()
    settings = SimpleNamespace(
        listener_domains=["config/listener_domains.toml"],
        listeners=[{"listen": "127.0.0.1:0"}],
        handlers=["app.handlers.inbound"],
        receiver_config={"host": "127.0.0.1", "port": 0},
        relay=None,
    )
    yield {"__name__": "example", "settings": settings, "handlers": ["app.handlers.inbound"]}
    if isinstance(receiver := getattr(settings, "receiver", None), Receiver):
        receiver.stop()
    elif receiver is not None:  # Salmon's own, which nobody started
        receiver.del_channel()
        receiver.socket.close()
    installation.forget()
    forget_modules()
    Router.clear_routes()
    Router.REGISTERED.update(before[0])
    Router.ORDER.extend(before[1])
    Router.HANDLERS.clear()
    Router.HANDLERS.update(before[2])
    Router.LOG_EXCEPTIONS = True
    SINKS.clear()
    SINKS.update(before[3])


@pytest.mark.parametrize("source", blocks("python"))
def test_python(source: str, project: dict[str, Any]) -> None:
    """It runs in a project; and what is settings is read as settings."""
    if "from config import" not in source and not source.startswith("# config/"):
        __import__("config.testing")
    exec(compile(source, "example", "exec"), project)  # noqa: S102 - that is what is tested
    if source.startswith("# config/settings.py"):
        Settings.read({name: project[name] for name in project if name in Settings.__annotations__})


@pytest.mark.parametrize("source", blocks("toml"))
def test_toml(source: str, tmp_path: Path) -> None:
    """It is TOML; and what is rules is read as rules, without a warning."""
    found = tomli.loads(source)
    path = tmp_path / "rules.toml"
    path.write_text(source)
    if set(found) == {"rules"}:
        classification.load([str(path)])
    elif all(isinstance(entry, dict) for entry in found.values()):
        assert tables.load([path]).warnings == ()


def command_lines() -> list[Any]:
    """Every line in a block that calls our program."""
    found = []
    for page in PAGES:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if match := re.match(r"(?: {4}|\$ )?(?:\w+=\S+ )*(kumo-handlers .*)", line):
                found.append(pytest.param(match[1], id=f"{page.name}:{number}"))
    return found


@pytest.mark.parametrize("line", command_lines())
def test_command_lines(line: str) -> None:
    """Commands and options that there are. What they print is tested where a page shows it."""
    words = shlex.split(line.partition(" | ")[0].partition(" > ")[0], comments=True)[1:]
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    command.make_context("example", [word for word in words if word not in ("...", "…")])


def test_make_targets() -> None:
    """Each ``make`` on a page is one."""
    targets = set(re.findall(r"^([\w -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {name for target in targets for name in target.split()}
    for page in PAGES:
        for name in re.findall(r"(?:^ {4}|`)make ([\w-]+)", page.read_text(), re.MULTILINE):
            assert name in known, f"{page.name}: make {name}"

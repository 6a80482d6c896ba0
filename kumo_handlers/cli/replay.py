"""``kumo-handlers replay``: read kept messages again, after an upgrade or a new rule."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from kumo_handlers import boot
from kumo_handlers.cli.errors import explained
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.replaying import Replayed, recorded_arrivals
from kumo_handlers.journal.replaying import replay as read_again
from kumo_handlers.pipeline import rules
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.pipeline.installation import Installation


@click.command()
@click.option(
    "--settings",
    "module",
    metavar="MODULE",
    help="An app's settings, as config.settings; for its folder, rules and keys.",
)
@click.option(
    "--run-dir",
    metavar="DIR",
    help="Where kept messages and the log are.  [default: as the settings say, else run]",
)
@explained
def replay(module: str | None, run_dir: str | None) -> None:
    """Read the messages in unparsed/ again; log what is understood now, and let go of them.

    The app must not be running: the log has one writer.
    """
    with _without_rules_and_relay():
        installed = boot.configure(_settings(module, run_dir))
        try:
            count = _replay(installed)
        finally:
            installed.close()
    if not count:
        click.echo(f"{Path(installed.settings.run_dir, 'unparsed')}: nothing is kept there")


def _replay(installed: Installation) -> int:
    """How many messages were read."""
    folder = Path(installed.settings.run_dir)
    if not folder.is_dir():
        raise click.ClickException(f"{folder}: there is no such folder")
    count = 0
    for each in read_again(
        folder / "unparsed",
        recorded_arrivals(folder / "log"),
        installed.classifier,
        lambda records: installed.committer.commit_blocking(Unit(records=records)),
        installed.trace_keys,
    ):
        click.echo(_line(each))
        count += 1
    return count


@contextmanager
def _without_rules_and_relay() -> Iterator[None]:
    """Neither is needed here: that there is none is not worth a warning."""
    loggers = [logging.getLogger(name) for name in (boot.__name__, rules.__name__)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _line(replayed: Replayed) -> str:
    if not replayed.logged:
        return f"{replayed.name}: kept, {replayed.reason}"
    types = ", ".join(f"{record.type} {record.recipient}" for record in replayed.logged)
    return f"{replayed.name}: logged {types}"


def _settings(module: str | None, run_dir: str | None) -> SimpleNamespace:
    """The app's settings without its relay: nothing is delivered from here."""
    given: dict[str, object] = {}
    if module is not None:
        sys.path.insert(0, "")
        try:
            given = {**vars(import_module(module))}
        except ImportError as error:
            raise ConfigurationError(
                Problem(message=str(error), option="--settings", value=module)
            ) from error
    if run_dir is not None:
        given["run_dir"] = run_dir
    return SimpleNamespace(**(given | {"relay": None, "sinks": ["jsonl"]}))

"""``kumo-handlers replay``: read kept messages again, after an upgrade or a new rule."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import click

from kumo_handlers import boot
from kumo_handlers.cli.errors import explained
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.replaying import Replayed, recorded_arrivals
from kumo_handlers.journal.replaying import replay as read_again
from kumo_handlers.queue.unit import Unit


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
    installed = boot.configure(_settings(module, run_dir))
    settings = installed.settings
    folder = Path(settings.run_dir)
    arrivals = recorded_arrivals(folder / "log")
    try:
        for each in read_again(
            folder / "unparsed",
            arrivals,
            installed.classifier,
            lambda records: installed.committer.commit_blocking(Unit(records=records)),
            installed.trace_keys,
        ):
            click.echo(_line(each))
    finally:
        installed.close()


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

"""The command ``kumo-handlers``: the table of its sub-commands, each imported when it is called.

The table has a command's summary beside its place, so that ``--help`` imports none of them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import NamedTuple

import click

import kumo_handlers


class Row(NamedTuple):
    """Where a command is, ``module:name``, and what it does in one line."""

    place: str
    summary: str


COMMANDS: dict[str, Row] = {
    "check": Row("kumo_handlers.cli.check:check", "Find errors and slips before a start does."),
    "dead-letters": Row(
        "kumo_handlers.cli.dead_letters:dead_letters",
        "See the broker's dead letters, and send them again.",
    ),
    "domains": Row(
        "kumo_handlers.cli.domains:domains",
        "Keep rules in a table that many nodes read.",
    ),
    "explain": Row(
        "kumo_handlers.cli.explain:explain", "Say what is decided about a recipient, and why."
    ),
    "log": Row("kumo_handlers.cli.log:log", "Show the log, and follow it."),
    "impact": Row(
        "kumo_handlers.cli.impact:impact", "Decide recorded traffic again, with other rules."
    ),
    "parse": Row("kumo_handlers.cli.parse:parse", "Show the log records that a message gives."),
    "passwd": Row("kumo_handlers.cli.passwd:passwd", "Set a password that AUTH is checked by."),
    "queue": Row("kumo_handlers.cli.queue:queue", "See what waits for the relay."),
    "replay": Row("kumo_handlers.cli.replay:replay", "Read again what could not be understood."),
    "scrub": Row("kumo_handlers.cli.scrub:scrub", "Make a report fit to be shown to others."),
    "selftest": Row("kumo_handlers.cli.selftest:selftest", "Try a listener from outside."),
    "ship": Row("kumo_handlers.cli.ship:ship", "See how far records are shipped, or ship them."),
    "stats": Row("kumo_handlers.cli.stats:stats", "Count bounces and complaints, with rates."),
    "test": Row("kumo_handlers.cli.test:test", "Compare a policy with what is expected of it."),
    "serve": Row("kumo_handlers.cli.serve:serve", "Listen, without a Salmon project."),
}


class LazyGroup(click.Group):
    """A group whose commands come from `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in alphabetical order."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        del ctx
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        module, _, name = row.place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, for ``--help``."""
        rows = [(name, COMMANDS[name].summary) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyGroup)
@click.version_option(kumo_handlers.__version__, prog_name="kumo-handlers")
def main() -> None:
    """KumoMTA's listener domains, bounce and complaint logging, for Salmon mail applications."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal of another alphabet cannot show is a question mark, not the end.
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")

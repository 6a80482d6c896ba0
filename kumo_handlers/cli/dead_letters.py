"""``kumo-handlers dead-letters``: what no worker could do, and another try at it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
import msgspec

from kumo_handlers.cli.columns import columns
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.policy_choice import USUAL_SETTINGS, read_settings
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.readable import printable

if TYPE_CHECKING:
    from kumo_handlers.broker.terms import BrokerURL

_HEAD = ("id", "queue", "tries", "size", "reason")

_settings_option = click.option(
    "--settings",
    metavar="MODULE",
    default=USUAL_SETTINGS,
    show_default=True,
    help="Whose broker.",
)


@click.group("dead-letters")
def dead_letters() -> None:
    """See the broker's dead letters, and send them through the handlers again."""


@dead_letters.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=100,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@_settings_option
@explained
def list_(*, limit: int, as_json: bool, settings: str) -> None:
    """Show them, the oldest first: where each comes from, and why it is here."""
    from kumo_handlers.broker import dead_letters as letters  # noqa: PLC0415 - it is an extra

    found, there = asyncio.run(letters.look(_broker(settings), limit))
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(each))
        return
    rows = [
        (each.id, each.queue, str(each.attempts), str(each.size), printable(each.reason))
        for each in found
    ]
    for line in columns([_HEAD, *rows], indent=""):
        click.echo(line)
    click.echo(f"{there} dead letters, {len(found)} shown")


@dead_letters.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@_settings_option
@explained
def retry(ids: tuple[str, ...], *, everything: bool, settings: str) -> None:
    """Put these into the queue they came from, as if they had never been tried."""
    from kumo_handlers.broker import dead_letters as letters  # noqa: PLC0415 - it is an extra

    if not (ids or everything):
        raise click.UsageError("say which: an ID, or --all")
    chosen = None if everything else frozenset(ids)
    sent = asyncio.run(letters.send_again(_broker(settings), chosen))
    click.echo(f"{len(sent)} sent again")
    if missing := sorted({*ids} - {*sent}):
        raise click.ClickException(f"no dead letters: {', '.join(missing)}")


def _broker(name: str) -> BrokerURL:
    """The broker of settings. Raises `ConfigurationError` where they have none."""
    from kumo_handlers.pipeline import broker_check  # noqa: PLC0415 - not for --help

    found = broker_check.broker(read_settings(name))
    if found is None:
        raise ConfigurationError(
            Problem(message="there is no broker", option="commit", expected="amqp://HOST/")
        )
    return found

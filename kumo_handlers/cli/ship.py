"""``kumo-handlers ship``: how far records are shipped, and shipping without an app."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kumo_handlers.cli.columns import columns
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.log import run_dir_option
from kumo_handlers.cli.policy_choice import USUAL_SETTINGS, read_settings
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.shipping import lag

if TYPE_CHECKING:
    from kumo_handlers.shipping.lag import Lag

_HEAD = ("destination", "place", "shipped", "behind", "bytes", "since", "refused", "lost", "")


@click.group()
def ship() -> None:
    """See how far records are shipped, or ship them."""


@ship.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@run_dir_option
@explained
def status(*, as_json: bool, run_dir: Path) -> None:
    """Show each destination: its place, what waits for it, and why it takes nothing."""
    names = sorted(path.stem for path in (run_dir / "ship").glob("*.json"))
    if not names:
        raise click.ClickException(f"{run_dir / 'ship'}: nothing was ever shipped")
    lags = [_lag(run_dir, name) for name in names]
    if as_json:
        for each in lags:
            click.echo(msgspec.json.encode(each))
        return
    for line in columns([_HEAD, *map(_row, lags)], indent=""):
        click.echo(line)


def _lag(run_dir: Path, name: str) -> Lag:
    try:
        return lag.of(run_dir, name, time.time())
    except ValueError as error:
        raise ConfigurationError(Problem(message=str(error))) from error


def _row(found: Lag) -> tuple[str, ...]:
    state, place = found.state, found.state.place
    return (
        state.name,
        f"{place.segment}:{place.offset}",
        f"{state.shipped:,}",
        f"{found.records:,}",
        f"{found.size:,}",
        f"{found.seconds:,.0f} s",
        f"{state.refused:,}",
        f"{state.lost:,}",
        state.error,
    )


@ship.command()
@click.option(
    "--settings",
    metavar="MODULE",
    default=USUAL_SETTINGS,
    show_default=True,
    help="Whose destinations, and whose log.",
)
@click.option("--drain", is_flag=True, help="End when nothing is left.")
@explained
def run(*, settings: str, drain: bool) -> None:
    """Ship what the settings say, in the foreground. SIGTERM or Ctrl-C stops it.

    Beside an app that ships itself it waits: each destination has one shipper at a time.
    """
    from kumo_handlers.shipping import foreground  # noqa: PLC0415 - the status needs none of it

    chosen = read_settings(settings)
    if not chosen.ship:
        raise ConfigurationError(
            Problem(message="nothing is to be shipped", option="ship", expected="a destination")
        )
    foreground.run(Path(chosen.run_dir), chosen.ship, drain=drain)

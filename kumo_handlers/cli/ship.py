"""``kumo-handlers ship``: how far records are shipped, and shipping without an app, or again."""

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
    from kumo_handlers.pipeline.settings import Settings
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


_settings_option = click.option(
    "--settings",
    metavar="MODULE",
    default=USUAL_SETTINGS,
    show_default=True,
    help="Whose destinations, and whose log.",
)


@ship.command()
@_settings_option
@click.option("--drain", is_flag=True, help="End when nothing is left.")
@explained
def run(*, settings: str, drain: bool) -> None:
    """Ship what the settings say, in the foreground. SIGTERM or Ctrl-C stops it.

    Beside an app that ships itself it waits: each destination has one shipper at a time.
    """
    from kumo_handlers.shipping import foreground  # noqa: PLC0415 - the status needs none of it

    chosen = _shipping(settings)
    foreground.run(Path(chosen.run_dir), chosen.ship, drain=drain)


@ship.command()
@click.argument("name", metavar="NAME")
@_settings_option
@explained
def again(*, name: str, settings: str) -> None:
    """Send what the destination NAME refused once more, when its reason is gone.

    What it refuses again stays refused. The app may go on meanwhile. SIGTERM or Ctrl-C breaks off,
    and the next call goes on.
    """
    from kumo_handlers.shipping import again as again_  # noqa: PLC0415 - the status needs none of it

    chosen = _shipping(settings)
    known = {each.name: each for each in chosen.ship}
    if name not in known:
        raise ConfigurationError(
            Problem(
                message="there is no such destination",
                option="NAME",
                value=name,
                expected=f"one of {', '.join(known)}",
            )
        )
    sent = again_.ship(Path(chosen.run_dir), known[name])
    click.echo(f"{sent.shipped} shipped, {sent.refused} refused again, {sent.waiting} left")
    if sent.refused or sent.waiting:
        raise click.exceptions.Exit(1)


def _shipping(name: str) -> Settings:
    """Settings that name a destination. Raises `ConfigurationError` for others."""
    chosen = read_settings(name)
    if not chosen.ship:
        raise ConfigurationError(
            Problem(message="nothing is to be shipped", option="ship", expected="a destination")
        )
    return chosen

"""``kumo-handlers check``: would a start succeed, and would it do what was meant."""

from __future__ import annotations

import click

from kumo_handlers.cli.diagnostic import lines
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.mapped_paths import map_path_option
from kumo_handlers.cli.policy_choice import choose
from kumo_handlers.cli.start_check import Checked, check_files, check_settings


@click.command()
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]...")
@click.option(
    "--settings",
    metavar="MODULE",
    help="Check all that these settings name.  [default: config.settings, if no FILE is named]",
)
@map_path_option
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@explained
def check(
    *, files: tuple[str, ...], settings: str | None, map_path: tuple[str, ...], strict: bool
) -> None:
    """Load what a start would load, and show errors and warnings with their file and line.

    The exit status is 1 where there are errors, and 0 where there are only warnings.
    """
    choice = choose(files, None, settings, map_path)
    checked = Checked()
    if choice.settings:
        check_settings(choice, checked)
    else:
        check_files(choice, checked)
    for problem in checked.errors:
        click.echo("\n".join(lines(problem, "error")))
    for warned in checked.warnings:
        severity = "error" if strict else "warning"
        click.echo("\n".join(lines(warned.problem, severity, warned.kind)))
    errors, warnings = len(checked.errors), len(checked.warnings)
    if strict:
        errors, warnings = errors + warnings, 0
    counts = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    click.secho(f"{checked.what}: {counts}", fg="red" if errors else "green")
    raise click.exceptions.Exit(1 if errors else 0)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"

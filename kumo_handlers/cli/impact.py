"""``kumo-handlers impact``: recorded traffic, decided by rules that are not in force yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.policy_choice import Choice, load
from kumo_handlers.cli.progress import watched
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.segment import segments
from kumo_handlers.pipeline.impact import Impact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.pipeline.impact import Change

_EXAMPLES = 3


@click.command()
@click.argument("new", nargs=-1, required=True, type=click.Path(), metavar="NEW...")
@click.option(
    "--settings",
    metavar="MODULE",
    help="The settings whose listeners are asked.  [default: relay_hosts as the records say]",
)
@click.option(
    "--log",
    "folder",
    default="run/log",
    show_default=True,
    type=click.Path(),
    metavar="DIR",
    help="The folder of the records.",
)
@click.option("--all", "show_all", is_flag=True, help="Every mail of a group, not three.")
@click.option("--json", "as_json", is_flag=True, help="For scripts; every mail of every group.")
@explained
def impact(
    *, new: tuple[str, ...], settings: str | None, folder: str, show_all: bool, as_json: bool
) -> None:
    """Decide recorded traffic again with the rules in NEW, and show every decision that changes."""
    chosen = load(Choice(new, settings))
    found = Impact(chosen.policy, chosen.listeners)
    _read(Path(folder), found)
    changes: dict[tuple[str, ...], Change] = {}
    mails = found.mails
    for mail in watched(mails, len(mails), "deciding again", lambda _: 1):
        found.compare(mail, changes)
    groups = sorted(changes.values(), key=lambda change: -len(change.mails))
    if as_json:
        answer = {"decisions": len(mails), "unreadable": found.unreadable, "changes": groups}
        click.echo(msgspec.json.format(msgspec.json.encode(answer)))
        return
    for change in groups:
        click.echo("\n".join(_lines(change, None if show_all else _EXAMPLES)) + "\n")
    changed = sum(len(change.mails) for change in groups)
    click.secho(f"{len(mails)} decisions, {changed} would change", bold=True)
    if found.unreadable:
        click.echo(f"{found.unreadable} records do not say enough to be decided again", err=True)


def _read(folder: Path, found: Impact) -> None:
    paths = segments(folder) if folder.is_dir() else []
    if not paths:
        raise ConfigurationError(
            Problem(message="there are no records", file=str(folder), hint="--log DIR")
        )
    total = sum(path.stat().st_size for path in paths)
    for line in watched(_records(paths), total, "reading"):
        found.take(line)


def _records(paths: list[Path]) -> Iterator[bytes]:
    """Whole lines; the last of all may be on its way still."""
    for path in paths:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))


def _lines(change: Change, most: int | None) -> Iterator[str]:
    count = len(change.mails)
    what = f"{change.kind}{'' if count == 1 else 's'}"
    yield click.style(f"{change.before} -> {change.after}", bold=True) + f": {count} {what}"
    yield f"  was: {change.rule_before or 'not said'}"
    yield f"  now: {change.reason}"
    domains = change.domains.most_common(most)
    named = ", ".join(f"{domain or 'no domain'} ({number})" for domain, number in domains)
    others = len(change.domains) - len(domains)
    more = f", and {others} more domain{'' if others == 1 else 's'}" if others else ""
    yield f"  to: {named}{more}"
    for mail in change.mails[:most]:
        yield f"    {mail.id}  {mail.sender or '<>'} to {mail.recipient}, from {mail.peer}"
    if most is not None and count > most:
        yield f"    and {count - most} more"

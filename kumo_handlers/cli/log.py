"""``kumo-handlers log``: the records as lines a person can read, those of now and those to come."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.moment import Moment
from kumo_handlers.errors import AddressError
from kumo_handlers.journal import reader, selection
from kumo_handlers.journal.readable import parts
from kumo_handlers.journal.record import RecordType
from kumo_handlers.journal.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kumo_handlers.journal.reader import Place

# How many records are shown before those that come.
_SOME = 10

run_dir_option = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    default="run",
    show_default=True,
    help="Where the log is.",
)
type_option = click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice([each.value for each in RecordType], case_sensitive=False),
    help="Only records of this type. May be repeated.",
)
domain_option = click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="DOMAIN",
    help="Only records from or to it, or to *.DOMAIN. May be repeated.",
)
since_option = click.option(
    "--since",
    type=Moment(),
    default=0.0,
    metavar="WHEN",
    help="Only what was logged since: 2h, 2026-01-31, 2026-01-31T12:00.",
)


@click.command()
@type_option
@domain_option
@since_option
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N of them.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged from now on.")
@click.option("--json", "as_json", is_flag=True, help="The lines as they are in the log.")
@run_dir_option
@explained
def log(
    *,
    types: tuple[str, ...],
    domains: tuple[str, ...],
    since: float,
    last: int | None,
    follow: bool,
    as_json: bool,
    run_dir: Path,
) -> None:
    """Show the log, a record a line: when, type, sender, recipient, reply, rule.

    With --follow it begins with the last 10, unless --since or --last says otherwise.
    """
    folder = run_dir / "log"
    if not folder.is_dir() and not follow:
        raise click.ClickException(f"{folder}: there is no log")
    wanted = choose(types, domains, since)
    place = reader.end_of(folder)
    if last is None and follow and not since:
        last = _SOME
    for line in _found(folder, wanted, place, last):
        show(line, as_json=as_json)
    if follow:
        try:
            for line in _matching(reader.follow(folder, place), wanted):
                show(line, as_json=as_json)
        except KeyboardInterrupt:
            return


def choose(types: tuple[str, ...], domains: tuple[str, ...], since: float) -> Selection:
    """What the options choose."""
    try:
        folded = tuple(map(selection.fold, domains))
    except AddressError as error:
        raise click.BadParameter(str(error), param_hint="--domain") from error
    return Selection(frozenset(types), folded, since)


def _found(folder: Path, wanted: Selection, until: Place, last: int | None) -> Iterable[bytes]:
    """The lines there are; of the last ones no more is read than must be."""
    if last is None:
        return _matching(reader.lines(folder, wanted.since, until), wanted)
    newest: deque[bytes] = deque()
    backwards = reader.lines_backwards(folder, until)
    newest.extendleft(islice(_matching(backwards, wanted), last))
    return newest


def _matching(lines: Iterable[bytes], wanted: Selection) -> Iterator[bytes]:
    """Those that are wanted. A line that is no record is named, and passed over."""
    for line in lines:
        try:
            if selection.decode_head(line) in wanted:
                yield line
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            click.echo(f"no record: {line[:60]!r}: {error}", err=True)


def show(line: bytes, *, as_json: bool) -> None:
    """Write one record."""
    click.echo(line if as_json else readable(msgspec.json.decode(line)))


def readable(record: dict[str, Any]) -> str:
    """One line, with the time of this machine, and in colour."""
    when = datetime.fromtimestamp(record["event_time"])  # noqa: DTZ006 - the reader's own time
    text = "".join(_styled(text, style) for text, style in parts(record))
    return f"{when:%Y-%m-%d %H:%M:%S}  {text}{click.style(_more(record), dim=True)}"


def _more(record: dict[str, Any]) -> str:
    """What a record of a report says beyond its answer."""
    report = record.get("report") or {}
    if "error" in report:
        return "  not understood"
    if record["type"] == "Feedback":
        return f"  {(record.get('feedback_report') or {}).get('feedback_type')}"
    if record["type"] in ("OOB", "Bounce"):
        return f"  {record['bounce_classification']}"
    return ""


def _styled(text: str, style: str) -> str:
    words = style.split()
    colour = next((word for word in words if word not in ("bold", "dim")), None)
    return click.style(text, fg=colour, bold="bold" in words or None, dim="dim" in words or None)

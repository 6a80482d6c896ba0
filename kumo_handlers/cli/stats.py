"""``kumo-handlers stats``: how much bounces and who complains, by domain, provider, class, hour."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kumo_handlers.cli import stats_view
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.log import choose, domain_option, run_dir_option, since_option
from kumo_handlers.cli.progress import watched
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal import reader
from kumo_handlers.journal.tally import Tally

if TYPE_CHECKING:
    from rich.console import Console

    from kumo_handlers.journal.selection import Selection
    from kumo_handlers.journal.tally import Row

_WIDTH = 24  # of the plots, in characters
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_file = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(stats_view.BY),
    help="Only this table. May be repeated.",
)
@domain_option
@since_option
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=15,
    show_default=True,
    help="Rows of a table, bars of a chart.",
)
@click.option("--json", "as_json", is_flag=True, help="All counts, for scripts.")
@click.option("--html", type=_file, metavar="FILE", help="Write tables and charts as one page.")
@click.option("--png", type=_file, metavar="FILE", help="Write the charts as a picture.")
@run_dir_option
@explained
def stats(
    *,
    by: tuple[str, ...],
    domains: tuple[str, ...],
    since: float,
    limit: int,
    as_json: bool,
    run_dir: Path,
    **files: Path | None,
) -> None:
    """Count bounces and complaints, with their rates, as tables and plots.

    A bounce is a Bounce, an Expiration or an OOB record, a complaint a Feedback record in which
    somebody complains. Rates compare with what was handed to the relay, as far as the log knows.
    """
    folder = run_dir / "log"
    if not folder.is_dir():
        raise click.ClickException(f"{folder}: there is no log")
    tally = count(folder, choose((), domains, since))
    if tally.unread:
        click.echo(f"{tally.unread} lines are no records, and are not counted", err=True)
    html, png = files["html"], files["png"]
    if html is not None:
        html.write_text(stats_view.html(tally, limit, str(folder)), encoding="utf-8")
    if png is not None:
        _picture(tally, limit, folder, png)
    if as_json:
        click.echo(msgspec.json.encode(stats_view.as_json(tally)))
    elif by or (html is None and png is None):
        _tables(tally, by or stats_view.BY, limit)


def count(folder: Path, wanted: Selection) -> Tally:
    """The counts of a log, what was logged before ``since`` left aside unread."""
    tally = Tally(wanted)
    paths = reader.chosen(folder, wanted.since)
    total = sum(path.stat().st_size for path in paths)
    pieces = (block for path in paths for block in reader.blocks(path))
    for piece in watched(pieces, total, "counting"):
        tally.count(piece)
    return tally


def _picture(tally: Tally, limit: int, folder: Path, path: Path) -> None:
    try:
        from kumo_handlers.cli import chart_png  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            Problem(
                message="a picture needs Pillow",
                option="--png",
                hint="pip install 'kumo-handlers[plots]', or --html, which needs nothing",
            )
        ) from error
    chart_png.draw(stats_view.layout(tally, limit, str(folder)), path)


def _tables(tally: Tally, by: tuple[str, ...], limit: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - the files need none

    # What is written to a file has room.
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    for name in by:
        shown = stats_view.rows(tally, name)
        kept = shown[-limit:] if name == "hour" else shown[:limit]
        _table(console, name, kept, len(shown) - len(kept))
    total = stats_view.cells(tally.total())
    told = "delivered {}, bounces {} ({}), complaints {} ({})".format(*total)
    console.print(f"{tally.records:,} records: {told}")


def _table(console: Console, by: str, shown: list[Row], left_out: int) -> None:
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(by, no_wrap=True, max_width=40)
    for name in stats_view.COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    most = max((row.bounced + row.complaints for row in shown), default=0)
    for row in shown:
        table.add_row(Text(row.name), *stats_view.cells(row), _plot(row, most))
    with console.capture() as drawn:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))
    if left_out:
        console.print(f"and {left_out:,} more", style="dim")
    console.print()


def _plot(row: Row, most: int) -> str:
    """A bar of characters: bounces red, complaints behind them in cyan."""
    if not most:
        return ""
    bounced = _bar(_WIDTH * row.bounced / most)
    complaints = _bar(_WIDTH * row.complaints / most)
    return f"[red]{bounced}[/][cyan]{complaints}[/]"


def _bar(length: float) -> str:
    """So many characters, and an eighth where there is something at all."""
    eighths = round(length * 8) or (1 if length else 0)
    return _EIGHTHS[-1] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()

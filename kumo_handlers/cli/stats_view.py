"""The counts of a log as they are shown: in tables, as charts, as one page, as JSON."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from kumo_handlers.cli import chart, chart_svg
from kumo_handlers.cli.chart import Bar
from kumo_handlers.journal.readable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.journal.tally import Row, Tally

BY = ("domain", "provider", "class", "hour")
COLUMNS = ("delivered", "bounces", "rate", "complaints", "rate")
# Hours are shown one by one up to this many, then in days.
_MOST_HOURS = 72
_HOURS_A_DAY = 24

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 2em auto; max-width: 860px; color: #222 }}
table {{ border-collapse: collapse; margin: 0 0 2em; width: 100% }}
th, td {{ text-align: right; padding: .2em .6em; border-bottom: 1px solid #ddd }}
th:first-child, td:first-child {{ text-align: left }}
svg {{ max-width: 100%; height: auto }}
</style>
{body}
</html>
"""


def rows(tally: Tally, by: str) -> list[Row]:
    """The rows of one table."""
    if by == "hour":
        return [named(when, row, len(tally.by_hour())) for when, row in moments(tally)]
    ranked: list[Row] = getattr(tally, f"by_{by}")()
    return [row.called(printable(row.name)) for row in ranked]


def moments(tally: Tally) -> list[tuple[int, Row]]:
    """Counts by hour; where there are many hours, by so many hours that a chart can show them."""
    hours = tally.by_hour()
    if len(hours) <= _MOST_HOURS:
        return hours
    groups = [hours[at : at + _HOURS_A_DAY] for at in range(0, len(hours), _HOURS_A_DAY)]
    return [(group[0][0], group[0][1].plus([row for _, row in group[1:]])) for group in groups]


def named(when: int, row: Row, hours: int) -> Row:
    """The row with its moment as its name, in the time of this machine."""
    moment = datetime.fromtimestamp(when)  # noqa: DTZ006 - the reader's own time
    form = "%m-%d %H:%M" if hours <= _MOST_HOURS else "%Y-%m-%d"
    return row.called(f"{moment:{form}}")


def cells(row: Row) -> tuple[str, ...]:
    """What stands in `COLUMNS`."""
    return (
        f"{row.delivered:,}",
        f"{row.bounced:,}",
        percent(row.bounce_rate),
        f"{row.complaints:,}",
        percent(row.complaint_rate, 2),
    )


def percent(rate: float | None, digits: int = 1) -> str:
    """A rate for people; where there is nothing to compare with, a dash."""
    return "-" if rate is None else f"{100 * rate:.{digits}f} %"


def layout(tally: Tally, limit: int, source: str) -> chart.Chart:
    """The charts: by hour, by provider, by class, by domain."""
    hours = rows(tally, "hour")
    charts = [
        chart.columns(
            "By hour" if len(tally.by_hour()) <= _MOST_HOURS else "By day",
            [row.name for row in hours],
            [(row.bounced, row.complaints) for row in hours],
        ),
        *(
            chart.bars(f"By {by}", [_bar(row) for row in rows(tally, by)[:limit]])
            for by in ("provider", "class", "domain")
        ),
    ]
    return chart.page("Bounces and complaints", f"{source}, {tally.records:,} records", charts)


def _bar(row: Row) -> Bar:
    note = f"  ({percent(row.bounce_rate)} bounce)" if row.attempted else ""
    return Bar(row.name, row.bounced, row.complaints, note)


def html(tally: Tally, limit: int, source: str) -> str:
    """One page with charts and tables, that needs nothing else."""
    tables = "\n".join(_html_table(by, rows(tally, by)[:limit]) for by in BY)
    body = f"{chart_svg.draw(layout(tally, limit, source))}\n{tables}"
    return _PAGE.format(title="Bounces and complaints", body=body)


def _html_table(by: str, shown: Sequence[Row]) -> str:
    head = "".join(f"<th>{name}" for name in (by, *COLUMNS))
    lines = "\n".join(
        f"<tr><td>{escape(row.name)}" + "".join(f"<td>{cell}" for cell in cells(row))
        for row in shown
    )
    return f"<table>\n<tr>{head}\n{lines}\n</table>"


def as_json(tally: Tally) -> dict[str, Any]:
    """All counts, for scripts; hours by their start in seconds since the epoch."""
    return {
        "records": tally.records,
        "unread": tally.unread,
        "total": _object(tally.total()),
        "domain": {row.name: _object(row) for row in tally.by_domain()},
        "provider": {row.name: _object(row) for row in tally.by_provider()},
        "class": {row.name: _object(row) for row in tally.by_class()},
        "hour": {str(when): _object(row) for when, row in tally.by_hour()},
    }


def _object(row: Row) -> dict[str, Any]:
    return {
        "delivered": row.delivered,
        "bounced": row.bounced,
        "bounce_rate": row.bounce_rate,
        "complaints": row.complaints,
        "complaint_rate": row.complaint_rate,
    }

"""Charts as shapes: rectangles, lines and words on a canvas, to be drawn by whoever can draw.

One layout serves the page and the picture, so that both show the same.
"""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

INK, FAINT, GRID = "#222222", "#777777", "#dddddd"
BOUNCES, COMPLAINTS = "#c0504d", "#3b6ea5"
WIDTH = 860
_MARGIN = 20
_ROW = 22
_NAMES = 220
_VALUES = 160
_PLOT = 170
_MOST_LABELS = 8


class Box(NamedTuple):
    """A filled rectangle."""

    left: float
    top: float
    width: float
    height: float
    colour: str


class Words(NamedTuple):
    """One line of text; ``top`` is its upper edge, ``anchor`` which end is at ``left``."""

    left: float
    top: float
    text: str
    size: int = 13
    colour: str = INK
    anchor: str = "start"


Shape = Box | Words


class Bar(NamedTuple):
    """One row of a bar chart: two counts, and what is said behind them."""

    name: str
    bounced: int
    complaints: int
    note: str = ""


class Chart(NamedTuple):
    """Shapes, and how high they are together; they are `WIDTH` wide."""

    shapes: list[Shape]
    height: float


def page(title: str, subtitle: str, charts: Sequence[Chart]) -> Chart:
    """Charts one below the other, with a heading and the meaning of the colours."""
    shapes: list[Shape] = [
        Words(_MARGIN, 16, title, 20),
        Words(_MARGIN, 44, subtitle, 13, FAINT),
    ]
    for left, colour, text in ((560, BOUNCES, "bounces"), (680, COMPLAINTS, "complaints")):
        shapes += [Box(left, 22, 12, 12, colour), Words(left + 18, 20, text)]
    height = 72.0
    for chart in charts:
        shapes += [shape._replace(top=shape.top + height) for shape in chart.shapes]
        height += chart.height + 24
    return Chart(shapes, height)


def bars(title: str, rows: Sequence[Bar]) -> Chart:
    """A row for each, the longest as long as there is room."""
    shapes: list[Shape] = [Words(_MARGIN, 0, title, 15)]
    room = WIDTH - 2 * _MARGIN - _NAMES - _VALUES
    most = max((row.bounced + row.complaints for row in rows), default=0) or 1
    for number, row in enumerate(rows):
        top = 28 + number * _ROW
        shapes.append(Words(_MARGIN + _NAMES - 8, top + 1, _short(row.name), anchor="end"))
        left = float(_MARGIN + _NAMES)
        for count, colour in ((row.bounced, BOUNCES), (row.complaints, COMPLAINTS)):
            width = room * count / most
            if count:
                shapes.append(Box(left, top, max(width, 1), _ROW - 6, colour))
            left += width
        said = f"{row.bounced + row.complaints:,}{row.note}"
        shapes.append(Words(left + 6, top + 1, said, colour=FAINT))
    return Chart(shapes, 28 + max(1, len(rows)) * _ROW)


def columns(title: str, labels: Sequence[str], counts: Sequence[tuple[int, int]]) -> Chart:
    """A column for each moment: bounces, and complaints on top of them."""
    shapes: list[Shape] = [Words(_MARGIN, 0, title, 15)]
    top, left, room = 32, _MARGIN + 60, WIDTH - 2 * _MARGIN - 60
    step = nice_step(max((sum(pair) for pair in counts), default=0))
    highest = step * max(1, -(-max((sum(pair) for pair in counts), default=0) // step))
    for value in range(0, highest + 1, step):
        level = top + _PLOT * (1 - value / highest)
        shapes.append(Box(left, level, room, 1, GRID))
        shapes.append(Words(left - 8, level - 8, f"{value:,}", 12, FAINT, "end"))
    width = room / max(1, len(counts))
    every = max(1, -(-len(labels) // _MOST_LABELS))
    for number, pair in enumerate(counts):
        at, level = left + number * width, float(top + _PLOT)
        for count, colour in zip(pair, (BOUNCES, COMPLAINTS), strict=True):
            high = _PLOT * count / highest
            level -= high
            if count:
                shapes.append(Box(at + width * 0.1, level, max(width * 0.8, 0.5), high, colour))
        if number % every == 0:
            shapes.append(Words(at, top + _PLOT + 6, labels[number], 12, FAINT))
    return Chart(shapes, top + _PLOT + 30)


def nice_step(most: int) -> int:
    """A round distance between grid lines: some four to ``most``, whole numbers."""
    rough = max(1.0, most / 4)
    power = 10 ** floor(log10(rough))
    return int(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough))


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:14]}…{name[-14:]}"  # noqa: PLR2004 - what fits

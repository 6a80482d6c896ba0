"""Cost against size as a drawing: both axes logarithmic, SVG by hand."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Points = list[tuple[float, float]]
WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 80, 200, 30, 50
COLOURS = ("#c0504d", "#3b6ea5", "#5a8a3a", "#8064a2")


def draw(lines: Mapping[str, Points], across: str, up: str) -> str:
    """The ``<svg>`` of lines through points, by name; ``across`` and ``up`` name the axes."""
    everything = [point for points in lines.values() for point in points]
    axes = [_decades([point[axis] for point in everything]) for axis in (0, 1)]
    shapes = [*_grid(axes), _words(LEFT, 18, up), _words(_across(0.5), HEIGHT - 8, across)]
    for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
        shapes += _line(name, points, axes, colour)
    inside = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" font-family="sans-serif" font-size="13" role="img">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{inside}\n</svg>\n'
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that hold all values."""
    return floor(log10(min(values))), ceil(log10(max(values)))


def _across(part: float) -> float:
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def _x(value: float, axes: Sequence[tuple[int, int]]) -> float:
    first, last = axes[0]
    return _across((log10(value) - first) / (last - first))


def _y(value: float, axes: Sequence[tuple[int, int]]) -> float:
    first, last = axes[1]
    return TOP + (1 - (log10(value) - first) / (last - first)) * (HEIGHT - TOP - BOTTOM)


def _grid(axes: Sequence[tuple[int, int]]) -> Iterator[str]:
    for power in range(axes[0][0], axes[0][1] + 1):
        yield _words(_x(10**power, axes), HEIGHT - BOTTOM + 20, f"{10**power:,}")
    for power in range(axes[1][0], axes[1][1] + 1):
        level = _y(10.0**power, axes)
        yield f'<path d="M{LEFT} {level:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
        yield _words(LEFT - 8, level + 4, f"{10.0**power:,.10g}", "end")


def _line(name: str, points: Points, axes: Sequence[tuple[int, int]], colour: str) -> Iterator[str]:
    at = [(_x(x, axes), _y(y, axes)) for x, y in points]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    yield f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in at:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    yield _words(at[-1][0] + 8, at[-1][1] + 4, name, colour=colour)


def _words(left: float, level: float, text: str, anchor: str = "", colour: str = "#444444") -> str:
    ends = anchor or "start"
    return (
        f'<text x="{left:.1f}" y="{level:.1f}" text-anchor="{ends}" fill="{colour}">'
        f"{escape(text)}</text>"
    )

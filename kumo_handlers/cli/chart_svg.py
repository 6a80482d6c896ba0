"""A chart drawn as SVG: one element a shape, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kumo_handlers.cli.chart import WIDTH, Box

if TYPE_CHECKING:
    from kumo_handlers.cli.chart import Chart, Shape


def draw(chart: Chart) -> str:
    """The ``<svg>`` element."""
    inside = "\n".join(map(_element, chart.shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {chart.height:g}"'
        f' width="{WIDTH}" font-family="sans-serif" role="img">\n{inside}\n</svg>'
    )


def _element(shape: Shape) -> str:
    if isinstance(shape, Box):
        return (
            f'<rect x="{shape.left:.1f}" y="{shape.top:.1f}" width="{shape.width:.1f}"'
            f' height="{shape.height:.1f}" fill="{shape.colour}"/>'
        )
    # SVG places the line letters stand on; it is about 0.8 of their size below the upper edge.
    return (
        f'<text x="{shape.left:.1f}" y="{shape.top + shape.size * 0.85:.1f}"'
        f' font-size="{shape.size}" fill="{shape.colour}" text-anchor="{shape.anchor}">'
        f"{escape(shape.text)}</text>"
    )

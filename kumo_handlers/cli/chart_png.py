"""A chart drawn as a PNG, by Pillow: the extra ``plots``.

Pillow, and no plotting library: the layout is there already, and what is left is to fill
rectangles and to set words in the typeface that Pillow brings along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from kumo_handlers.cli.chart import WIDTH, Box

if TYPE_CHECKING:
    from pathlib import Path

    from kumo_handlers.cli.chart import Chart, Words

# Pixels to a unit of the layout, for screens that have them.
_SCALE = 2
_ANCHORS = {"start": "la", "end": "ra"}


def draw(chart: Chart, path: Path) -> None:
    """Write the picture. Raises OSError."""
    picture = Image.new("RGB", (WIDTH * _SCALE, round(chart.height) * _SCALE), "white")
    pen = ImageDraw.Draw(picture)
    for shape in chart.shapes:
        if isinstance(shape, Box):
            right, bottom = shape.left + shape.width, shape.top + shape.height
            corners = (shape.left, shape.top, right, bottom)
            left, top, right, bottom = (round(each * _SCALE) for each in corners)
            pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), shape.colour)
        else:
            _write(pen, shape)
    picture.save(path, "PNG")


def _write(pen: ImageDraw.ImageDraw, words: Words) -> None:
    font = ImageFont.load_default(words.size * _SCALE)
    place = (words.left * _SCALE, words.top * _SCALE)
    pen.text(place, words.text, words.colour, font, anchor=_ANCHORS[words.anchor])

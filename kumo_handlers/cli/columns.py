"""Rows of text in columns, for a terminal. Quicker to load than a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> Iterator[str]:
    """A line a row; each column is as wide as its widest cell, the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield (indent + "  ".join(cells)).rstrip()

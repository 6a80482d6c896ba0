"""Charts as shapes: nothing outside the canvas, whatever is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.cli import chart
from kumo_handlers.cli.chart import Bar, Box

COUNTS = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))


@given(st.lists(COUNTS, max_size=200))
def test_everything_fits(counts: list[tuple[int, int]]) -> None:
    """No box leaves its chart, none is upside down."""
    bars = chart.bars("t", [Bar("n" * 50, *pair) for pair in counts])
    columns = chart.columns("t", [str(n) for n in range(len(counts))], counts)
    for each in (bars, columns, chart.page("t", "s", [bars, columns])):
        for shape in each.shapes:
            assert shape.left >= 0
            assert shape.top >= -0.001
            if isinstance(shape, Box):
                assert shape.left + shape.width <= chart.WIDTH + 1
                assert shape.top + shape.height <= each.height
                assert min(shape.width, shape.height) >= 0


@given(st.integers(0, 10**12))
def test_grid_lines_are_few_and_round(most: int) -> None:
    """Four or so, at round numbers."""
    step = chart.nice_step(most)
    assert most / step <= 4
    assert str(step)[0] in "125"
    assert set(str(step)[1:]) <= {"0"}


def test_lengths_are_in_proportion() -> None:
    """Twice as many, twice as long."""
    first, second = (
        shape
        for shape in chart.bars("t", [Bar("a", 100, 0), Bar("b", 50, 0)]).shapes
        if isinstance(shape, Box)
    )
    assert first.width == pytest.approx(2 * second.width)

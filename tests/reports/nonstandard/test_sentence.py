"""Where a sentence begins and ends."""

from __future__ import annotations

import pytest

from kumo_handlers.reports.nonstandard import sentence


@pytest.mark.parametrize(
    ("lines", "at", "found"),
    [
        (["Hello.", "Your message to ann@dest.example", "was not delivered.", "Bye."], 2, [1, 2]),
        (["Your message to", "ann@dest.example", "was not delivered."], 2, [0, 1, 2]),
        (["ann@dest.example", "was not delivered", "", "Bye"], 1, [1]),
        (["Subject: May", "Reason: not delivered", "To: ann@dest.example"], 1, [1]),
        (["It was not delivered to", "ann@dest.example", "bob@dest.example"], 0, [0, 1]),
    ],
)
def test_lines_of(lines: list[str], at: int, found: list[int]) -> None:
    """Full stops, empty lines, labels and the entries of lists end it; a line break does not."""
    assert list(sentence.lines_of(lines, at, at)) == found

"""Times as people write them."""

from __future__ import annotations

import math

import pytest

from kumo_handlers.policy import duration


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        (60, 60.0),
        (0.5, 0.5),
        ("60", 60.0),
        ("1 minute", 60.0),
        ("5 mins", 300.0),
        ("90s", 90.0),
        ("90 secs", 90.0),
        ("1h 30m", 5400.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1.5 hours", 5400.0),
        (" 2 days ", 172_800.0),
        ("1 week", 604_800.0),
    ],
)
def test_seconds(raw: object, seconds: float) -> None:
    """Numbers are seconds; text has units, and its parts are added."""
    assert duration.parse(raw) == seconds


@pytest.mark.parametrize(
    "raw",
    [
        0,
        -1,
        True,
        None,
        [],
        math.inf,
        10**400,
        math.nan,
        "",
        " ",
        "s",
        "5 fortnights",
        "-5s",
        "1 30",
        "5s x",
        "0s",
        "1e3s",
        "\u0665s",
    ],
)
def test_what_is_no_time_is_refused(raw: object) -> None:
    """Zero and less, other types, and text that is not read to its end."""
    with pytest.raises(ValueError, match="is no time"):
        duration.parse(raw)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.25 s"),
        (60, "1 min"),
        (90, "90 s"),
        (5400, "90 min"),
        (7200, "2 h"),
        (86400, "1 d"),
    ],
)
def test_shown_and_read_again(seconds: float, text: str) -> None:
    """The documentation shows defaults in a form that can be written."""
    assert duration.show(seconds) == text
    assert duration.parse(text) == seconds

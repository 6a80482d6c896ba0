"""From bytes to records: what Python and the command line are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kumo_handlers
from kumo_handlers.journal import parsing

MESSAGES = Path(__file__).parent / "messages"
BOUNCE = (MESSAGES / "bounce.eml").read_bytes()


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("bounce", ["OOB", "OOB"]),
        ("complaint", ["Feedback"]),
        ("delayed", ["Reception"]),
        ("unreadable", ["Reception"]),
        ("letter", []),
    ],
)
def test_types(name: str, types: list[str]) -> None:
    """Each kind of message gives its records; a letter gives none."""
    content = (MESSAGES / f"{name}.eml").read_bytes()
    assert [each["type"] for each in kumo_handlers.parse_report(content)] == types


def test_line_ends_do_not_matter() -> None:
    """Only the id, which is a hash of the bytes, is another."""
    unix = parsing.read(BOUNCE, now=0)
    dos = parsing.read(BOUNCE.replace(b"\n", b"\r\n"), now=0)
    assert [(each.recipient, each.response, each.key) for each in unix] == [
        (each.recipient, each.response, each.key) for each in dos
    ]


@given(st.binary(max_size=300), st.integers(0, len(BOUNCE)), st.integers(0, 400))
def test_any_bytes_are_read(noise: bytes, at: int, length: int) -> None:
    """Whatever stands in a message, and wherever: records, never an exception."""
    damaged = BOUNCE[:at] + noise + BOUNCE[at + length :]
    assert all("type" in each for each in parsing.parse_report(damaged))

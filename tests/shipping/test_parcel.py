"""What a record on its way is told by."""

from __future__ import annotations

import pytest

from kumo_handlers.shipping import parcel

from .conftest import NOON, line


def test_a_report_is_told_by_its_key() -> None:
    """Though it came at another time, to another node."""
    one = parcel.parcel(line(1, type="OOB", report={"key": "abc"}))
    other = parcel.parcel(line(2, type="OOB", nodeid="b", report={"key": "abc"}))
    assert one.key == other.key == one.report_key == "abc"


def test_any_other_record_by_its_line() -> None:
    """The same line is the same record."""
    one, same, other = (parcel.parcel(line(number)) for number in (1, 1, 2))
    assert one.key == same.key != other.key
    assert one.report_key is None


@pytest.mark.parametrize("report", [{}, {"key": None}, {"key": 7}, {"error": "x"}])
def test_a_report_without_a_key(report: dict[str, object]) -> None:
    """Is told by its line."""
    found = parcel.parcel(line(1, report=report))
    assert found.report_key is None
    assert len(found.key) == 32


def test_when_it_was_logged() -> None:
    """A report's event is dated by its sender, its arrival by us."""
    assert parcel.parcel(line(1, type="OOB", event_time=0.0)).logged == NOON + 1
    assert parcel.parcel(line(1, created_time=0.0)).logged == NOON + 1


@pytest.mark.parametrize("octets", [b"", b"[]", b"{}", b'{"type": 1}', b"\xff", b'{"type": "a"'])
def test_no_record(octets: bytes) -> None:
    """One error for all of it."""
    with pytest.raises(ValueError, match="no record"):
        parcel.parcel(octets)


@pytest.mark.parametrize(
    ("address", "expected"), [("a@b", "a@b"), ([97, 255], "a\N{REPLACEMENT CHARACTER}"), (5, "")]
)
def test_addresses(address: object, expected: str) -> None:
    """As text, whatever they were."""
    assert parcel.text(address) == expected

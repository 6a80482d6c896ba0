"""Which messages were being handed over when the program died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.queue.in_flight import InFlight

if TYPE_CHECKING:
    from pathlib import Path


def test_marks_outlive_the_program(tmp_path: Path) -> None:
    """Each worker has its own, and one that was freed is not told."""
    first = InFlight(tmp_path / "in-flight")
    first.mark(0, 7)
    first.mark(3, 1 << 40)
    first.mark(1, 9)
    first.free(1)
    first.close()
    second = InFlight(tmp_path / "in-flight")
    assert second.left_over() == [7, 1 << 40]
    second.clear()
    assert second.left_over() == []
    second.close()


def test_damaged_file(tmp_path: Path) -> None:
    """Half a slot at the end says nothing."""
    (tmp_path / "in-flight").write_bytes((5).to_bytes(8, "little") + b"\x01\x02")
    opened = InFlight(tmp_path / "in-flight")
    assert opened.left_over() == [5]
    opened.close()

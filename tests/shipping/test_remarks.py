"""What is said of a destination that fares badly."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.shipping import remarks
from kumo_handlers.shipping.remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Time that passes when it is told to."""
    now = [0.0]
    monkeypatch.setattr(remarks.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("gone\nfor good"), "OSError: gone for good"),
        (ConnectionResetError(), "connection reset error"),
        (ssl.SSLError(""), "SSLError: ('',)"),
    ],
)
def test_a_reason(error: Exception, expected: str) -> None:
    """One line, and never an empty one."""
    assert remarks.of(error) == expected


def test_two_reasons_in_turn(
    clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Each is said once; where it recovers for a moment each time, once a minute."""
    said = Remarks("there")
    for _ in range(5):
        said.resting("one")
        said.resting("two")
    assert caplog.text.count("takes no records") == 2
    said.good()
    said.resting("one")
    assert caplog.text.count("takes no records") == 2
    clock(remarks.PAUSE)
    said.good()
    said.resting("one")
    assert caplog.text.count("takes no records: one") == 2


def test_reasons_that_never_repeat(caplog: pytest.LogCaptureFixture) -> None:
    """Are said, and not all remembered."""
    said = Remarks("there")
    for number in range(1000):
        said.resting(f"port {number}")
    assert len(caplog.records) == 1000
    assert len(vars(said)["_reasons"]) <= 100


def test_refusals(clock: Callable[[float], None], caplog: pytest.LogCaptureFixture) -> None:
    """The first, and then how many, once a minute."""
    said = Remarks("there")
    for _ in range(50):
        said.refused("415")
    assert caplog.messages == ["there will never take a record, which is kept: 415"]
    clock(remarks.PAUSE)
    said.refused("415")
    (last,) = caplog.messages[1:]
    assert last == "there will never take 50 more records, which are kept; the last: 415"

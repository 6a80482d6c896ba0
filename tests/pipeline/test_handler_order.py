"""The order of handlers: which ones lose mail, and which do not."""

from __future__ import annotations

import pytest

from kumo_handlers.pipeline import in_order
from kumo_handlers.pipeline.handler_order import check, missing

GATE, ARF, OOB, DROP, RELAY = in_order()
OURS = [GATE, ARF, OOB, DROP, RELAY]


def messages(handlers: list[str], *on_reports: str) -> list[str]:
    """What is said about an order."""
    return [each.message for each in (*missing(handlers), *check(handlers, on_reports))]


@pytest.mark.parametrize(
    "handlers",
    [
        OURS,
        in_order(reports=["app.reports"], inbound=["app.letters"]),
        [GATE, OOB, ARF, DROP, RELAY],
        [GATE, ARF, OOB, DROP, RELAY, "app.last"],
    ],
)
def test_orders_that_lose_nothing(handlers: list[str]) -> None:
    """Nothing is said of them."""
    assert messages(handlers, "app.reports") == []


@pytest.mark.parametrize(
    ("handlers", "message"),
    [
        ([ARF, OOB, DROP, RELAY], f"{GATE} is missing: mail that must be refused is accepted"),
        ([GATE, OOB, DROP, RELAY], f"{ARF} is missing: complaints are accepted and never logged"),
        ([GATE, ARF, DROP, RELAY], f"{OOB} is missing: bounces are accepted and never logged"),
        ([GATE, ARF, OOB, RELAY], f"{DROP} is missing: reports that go no further are seen"),
        ([GATE, ARF, OOB, DROP], f"{RELAY} is missing: mail to relay is accepted and never queued"),
        ([ARF, GATE, OOB, DROP, RELAY], f"{GATE} comes after {ARF}: reports are logged"),
        ([GATE, ARF, DROP, OOB, RELAY], f"{OOB} comes after {DROP}: bounces are dropped before"),
        ([GATE, DROP, ARF, OOB, RELAY], f"{ARF} comes after {DROP}: complaints are dropped before"),
        ([GATE, ARF, OOB, RELAY, DROP], f"{DROP} comes after {RELAY}: the app's own handlers"),
        ([*OURS[:4], "app.reports", RELAY], f"app.reports comes after {DROP}: it never sees"),
        (["app.early", *OURS], f"app.early comes before {GATE}: it sees mail"),
        ([*OURS, ARF], f"{ARF} is named twice"),
    ],
)
def test_orders_that_lose_mail(handlers: list[str], message: str) -> None:
    """One slip, and the message begins with what it is and what becomes of mail."""
    assert any(each.startswith(message) for each in messages(handlers, "app.reports"))

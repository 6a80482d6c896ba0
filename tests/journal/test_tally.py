"""Counts of a log, compared with a slow and plain way to count."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.journal.selection import Selection
from kumo_handlers.journal.tally import HOUR, Row, Tally

TYPES = ["Delivery", "Bounce", "Expiration", "OOB", "Feedback", "Reception", "Rejection"]
DOMAINS = ["gmail.com", "B.example", "c.example"]


def record(kind: str, domain: str = "b.example", hour: int = 0, **more: object) -> dict[str, Any]:
    """A record, as far as it is counted."""
    complains = kind == "Feedback"
    return {
        "type": kind,
        "sender": "fbl@provider.example",
        "recipient": f"u@{domain}",
        "event_time": hour * HOUR + 1.5,
        "created_time": hour * HOUR + 1.5,
        "bounce_classification": "InvalidRecipient",
        "feedback_report": {"feedback_type": "abuse", "original_rcpto_to": [f"u@{domain}"]}
        if complains
        else None,
        "report": {"complaint": complains},
    } | more


def lines(*records: dict[str, Any]) -> bytes:
    """Records as they stand in a log."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def tally(*records: dict[str, Any], wanted: Selection | None = None) -> Tally:
    """What was counted of them."""
    counted = Tally(wanted)
    counted.count(lines(*records))
    return counted


@given(
    st.lists(
        st.tuples(st.sampled_from(TYPES), st.sampled_from(DOMAINS), st.integers(0, 30)), max_size=40
    )
)
def test_as_counted_by_hand(drawn: list[tuple[str, str, int]]) -> None:
    """Each way to group them gives the same sums."""
    counted = tally(*(record(*each) for each in drawn))
    kinds = Counter(kind for kind, _, _ in drawn)
    refused = kinds["Bounce"] + kinds["Expiration"]
    total = Row(
        "",
        kinds["Delivery"],
        refused + kinds["OOB"],
        kinds["Feedback"],
        kinds["Delivery"] + refused,
    )
    assert counted.total() == total
    for rows in (
        counted.by_domain(),
        counted.by_provider(),
        [row for _, row in counted.by_hour()],
    ):
        assert Row("", 0, 0, 0, 0).plus(rows) == total
    by_class = Row("", 0, 0, 0, 0).plus(counted.by_class())
    assert (by_class.bounced, by_class.complaints) == (total.bounced, total.complaints)
    domains = Counter(domain.lower() for kind, domain, _ in drawn if kind == "OOB")
    only = tally(*(record(*each) for each in drawn if each[0] == "OOB"))
    assert {row.name: row.bounced for row in only.by_domain()} == domains


def test_hours_between_are_there() -> None:
    """An hour in which nothing happened is a row of zeros."""
    rows = tally(record("OOB", hour=1), record("OOB", hour=4)).by_hour()
    assert [(when // HOUR, row.bounced) for when, row in rows] == [(1, 1), (2, 0), (3, 0), (4, 1)]
    assert Tally().by_hour() == []


def test_a_report_counts_when_it_came_in() -> None:
    """The date that its sender wrote may be anything."""
    ((when, _),) = tally(record("OOB", hour=7, event_time=0.0)).by_hour()
    assert when == 7 * HOUR


def test_rates() -> None:
    """Bounces of what was attempted, complaints of what was delivered."""
    row = tally(
        *(record("Delivery") for _ in range(8)), record("Bounce"), record("OOB"), record("Feedback")
    ).total()
    assert row.bounce_rate == pytest.approx(2 / 9)
    assert row.complaint_rate == pytest.approx(1 / 8)
    nothing = tally(record("OOB"), record("Feedback")).total()
    assert (nothing.bounce_rate, nothing.complaint_rate) == (None, None)


@pytest.mark.parametrize("recipients", [[], None, "u@b.example", [[97, 255]]])
def test_hidden_recipient(recipients: object) -> None:
    """A complaint that does not say whose it is counts for who reported it."""
    report = {"feedback_type": None, "original_rcpto_to": recipients}
    counted = tally(record("Feedback", feedback_report=report))
    assert [row.name for row in counted.by_domain()] == ["provider.example"]
    assert [row.name for row in counted.by_class()] == ["complaint: None"]


def test_what_is_no_record() -> None:
    """It is counted as such, and costs the others nothing."""
    counted = Tally()
    counted.count(lines(record("OOB")) + b'{"type": 1}\n\xff\n' + lines(record("OOB")))
    assert (counted.records, counted.unread, counted.total().bounced) == (2, 2, 2)


@pytest.mark.parametrize(
    ("wanted", "expected", "records"),
    [
        (Selection(domains=("b.example",)), 2, 3),
        (Selection(domains=("provider.example",)), 3, 4),
        (Selection(domains=("none.example",)), 0, 0),
        (Selection(since=2.0 * HOUR), 1, 1),
    ],
)
def test_selection(wanted: Selection, expected: int, records: int) -> None:
    """By domain of recipient or sender, and by when it was logged: of what is counted too."""
    hidden = record("Feedback", recipient="complaints@fbl.example")
    mail = record("OOB", hour=3), record("OOB", "c.example"), hidden, record("Reception")
    counted = tally(*mail, wanted=wanted)
    total = counted.total()
    assert (total.bounced + total.complaints, counted.records) == (expected, records)

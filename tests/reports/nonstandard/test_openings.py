"""Phrases that say what happened."""

from __future__ import annotations

import pytest

from kumo_handlers.reports.nonstandard import openings
from kumo_handlers.reports.report import Action


@pytest.mark.parametrize(
    ("subject", "text", "action"),
    [
        ("", "Your message could not be delivered", Action.FAILED),
        (
            "",
            "THIS IS A WARNING MESSAGE ONLY. It could not be delivered for 4 hours",
            Action.DELAYED,
        ),
        (
            "",
            "It will be retried. No: this is a permanent error, it was not delivered",
            Action.FAILED,
        ),
        ("Delivery Status Notification (Delay)", "nothing else", Action.DELAYED),
        ("Undeliverable: your train is delayed", "It was not delivered", Action.FAILED),
        ("", "It was successfully delivered. Later delivery errors may follow", Action.DELIVERED),
        ("", "Ihre Nachricht konnte nicht zugestellt werden", Action.FAILED),
        ("", "まもなく再送します。配信が遅延しています", Action.DELAYED),
    ],
)
def test_action(subject: str, text: str, action: Action) -> None:
    """A delay is no failure, unless somebody has given up."""
    folded = openings.fold(text)
    found = openings.find(folded)
    assert openings.action_of(folded, openings.fold(subject), found) is action


def test_found_in_the_order_of_the_text() -> None:
    """The offsets are those of the folded text."""
    folded = openings.fold("User unknown. It couldn\u2019t be delivered.")
    found = openings.find(folded)
    assert [folded[each.start : each.end] for each in found] == ["user unknown", "n't be delivered"]
    assert [each.is_plain for each in found] == [False, True]


@pytest.mark.parametrize(
    "table",
    [
        openings.PLAIN_FAILURE,
        openings.VAGUE_FAILURE,
        openings.PLAIN_DELAY,
        openings.PLAIN_DELIVERY,
        openings.GIVEN_UP,
    ],
)
def test_tables_are_folded(table: tuple[str, ...]) -> None:
    """A fragment that is not folded is never found."""
    assert [each for each in table if openings.fold(each) != each] == []

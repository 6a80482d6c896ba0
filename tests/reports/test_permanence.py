"""Permanent or transient: the table, row by row, and what it promises as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports.permanence import TABLE, Permanence, judge
from kumo_handlers.reports.report import Action, RecipientStatus


def recipient(
    status: str = "", reply: int | None = None, action: Action = Action.FAILED
) -> RecipientStatus:
    """One recipient's status, from what a report would say."""
    return RecipientStatus(status=EnhancedStatusCode.find(status), reply_code=reply, action=action)


CASES = [
    # what practitioners suppress
    ("5.1.1", 550, "permanent"),
    ("5.1.1", None, "permanent"),
    ("5.1.2", None, "permanent"),
    ("5.1.10", 550, "permanent"),
    ("5.2.1", 550, "permanent"),
    ("5.4.4", None, "permanent"),
    ("5.0.0", None, "permanent"),
    ("5.7.13", 525, "permanent"),
    ("5.7.17", 550, "permanent"),
    ("", 550, "permanent"),
    ("", 554, "permanent"),
    # what they do not
    ("5.2.2", 552, "transient"),
    ("4.2.2", 452, "transient"),
    ("5.2.3", 552, "transient"),
    ("5.3.4", 552, "transient"),
    ("5.7.1", 550, "transient"),
    ("5.7.26", 550, "transient"),
    ("5.6.0", 554, "transient"),
    ("5.1.8", 553, "transient"),
    ("5.4.6", 554, "transient"),
    ("5.5.3", 452, "transient"),
    ("4.4.1", None, "transient"),
    ("4.4.7", 550, "transient"),
    ("4.1.1", 450, "transient"),
    ("", 450, "transient"),
    ("", 552, "transient"),
    ("", None, "transient"),
    # where they disagree
    ("4.1.1", 550, "permanent"),
    ("4.0.0", 550, "transient"),
    ("5.0.0", 450, "transient"),
    ("5.1.1", 450, "permanent"),
    ("4.7.13", 454, "transient"),
]


@pytest.mark.parametrize(("status", "reply", "expected"), CASES)
def test_verdict(status: str, reply: int | None, expected: str) -> None:
    """Status and reply code of a failed recipient give this verdict."""
    assert judge(recipient(status, reply)).permanence == expected


def test_a_delayed_message_is_transient_whatever_its_status() -> None:
    """Somebody is still trying: nothing is over yet."""
    verdict = judge(recipient("5.1.1", 550, Action.DELAYED))
    assert verdict.permanence is Permanence.TRANSIENT


@pytest.mark.parametrize("action", [Action.DELIVERED, Action.RELAYED, Action.EXPANDED])
def test_success_has_no_permanence(action: Action) -> None:
    """What was delivered or passed on has not failed."""
    assert judge(recipient("2.0.0", None, action)).permanence is None


statuses = st.builds(
    EnhancedStatusCode, st.sampled_from([2, 4, 5]), st.integers(0, 9), st.integers(0, 99)
)


@given(st.none() | statuses, st.none() | st.integers(200, 599), st.sampled_from(Action))
def test_every_recipient_is_judged(
    status: EnhancedStatusCode | None, reply: int | None, action: Action
) -> None:
    """The last row applies to all, so the table always answers, and says why."""
    assert judge(RecipientStatus(status=status, reply_code=reply, action=action)).reason


def test_every_row_can_decide() -> None:
    """No row stands behind one that takes all its cases."""
    reasons = {
        judge(RecipientStatus(status=status, reply_code=reply, action=action)).reason
        for status in [None] + [EnhancedStatusCode(*each) for each in _every_status()]
        for reply in (None, 450, 550, 552)
        for action in Action
    }
    assert reasons == {row.reason for row in TABLE}


def _every_status() -> list[tuple[int, int, int]]:
    return [(kind, subject, n) for kind in (2, 4, 5) for subject in range(8) for n in range(28)]

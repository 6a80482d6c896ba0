"""From words to status."""

from __future__ import annotations

import pytest

from kumo_handlers.reports.nonstandard import openings, reasons
from kumo_handlers.reports.report import Action


@pytest.mark.parametrize(
    ("text", "code", "action", "status"),
    [
        ("User unknown", 550, Action.FAILED, "5.1.1"),
        ("User unknown", 450, Action.FAILED, "4.1.1"),
        ("Mailbox full", None, Action.DELAYED, "4.2.2"),
        ("Mailbox full", None, Action.FAILED, "5.2.2"),
        ("Message expired, mailbox full", None, Action.FAILED, "4.4.7"),
        ("Host unknown", None, Action.FAILED, "5.1.2"),
        ("Connection refused", None, Action.FAILED, "4.4.1"),
        ("Message too large", 552, Action.FAILED, "5.3.4"),
        ("Too many hops", 554, Action.FAILED, "5.4.6"),
        ("This account is disabled", None, Action.FAILED, "5.2.1"),
        ("blocked as spam", 554, Action.FAILED, "5.7.1"),
        ("no words we know", 552, Action.FAILED, "5.2.2"),
        ("no words we know", 421, Action.DELAYED, "4.3.2"),
        ("no words we know", 550, Action.FAILED, "5.0.0"),
        ("no words we know", None, Action.DELAYED, "4.0.0"),
        ("no words we know", None, Action.DELIVERED, "2.0.0"),
        ("宛先不明", None, Action.FAILED, "5.1.1"),
        ("Cannot send message for 3 days", None, Action.FAILED, "4.4.7"),
        ("Mail size limit exceeded", None, Action.FAILED, "5.3.4"),
        ("All MX records point to non-existent hosts", None, Action.FAILED, "5.1.2"),
        ("did not accept our requests to connect: timed out", None, Action.FAILED, "4.4.1"),
        ("User ann is not a registered gateway user", None, Action.FAILED, "5.1.1"),
        ("The user is unknown", None, Action.FAILED, "5.1.1"),
        ("The host is unknown", None, Action.FAILED, "5.1.2"),
        ("User not known at this site", None, Action.FAILED, "5.1.1"),
        ("Recipient user name ann is not unique", None, Action.FAILED, "5.1.4"),
        ("Deferred. Message will be deleted from queue", None, Action.FAILED, "4.4.7"),
        ("No mailbox here, administratively disabled", None, Action.FAILED, "5.2.1"),
        ("no valid recipients: Mailbox voll", None, Action.FAILED, "5.2.2"),
        ("La casella di posta e' piena", None, Action.FAILED, "5.2.2"),
        ("받는 사람의 메일함 용량이 초과되었습니다", None, Action.FAILED, "5.2.2"),
        ("查無此使用者", None, Action.FAILED, "5.1.1"),
        ("It contains a virus", None, Action.FAILED, "5.7.1"),
        ("This message has been scanned for viruses", None, Action.FAILED, "5.0.0"),
    ],
)
def test_status(text: str, code: int | None, action: Action, status: str) -> None:
    """The words decide subject and detail, the reply code the class; without words the code."""
    assert str(reasons.status_of(openings.fold(text), code, action)) == status

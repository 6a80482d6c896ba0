"""One recipient's fields, and what is concluded from them."""

from __future__ import annotations

import pytest

from kumo_handlers.reports.recipient_status import recipient_status

BASE = {"final-recipient": ["rfc822; a@b.example"]}


@pytest.mark.parametrize(
    ("fields", "status", "action", "inferred"),
    [
        ({"status": "5.1.1", "action": "failed"}, "5.1.1", "failed", ()),
        ({"status": "5.1.1"}, "5.1.1", "failed", ("action",)),
        ({"status": "4.4.1"}, "4.4.1", "failed", ("action",)),
        ({"status": "2.0.0"}, "2.0.0", "delivered", ("action",)),
        ({"status": "2.0.0", "diagnostic-code": "smtp; 550 no"}, "2.0.0", "failed", ("action",)),
        ({"status": "4.4.1", "will-retry-until": "x"}, "4.4.1", "delayed", ("action",)),
        ({"action": "failed"}, "5.0.0", "failed", ("status",)),
        ({"action": "delayed"}, "4.0.0", "delayed", ("status",)),
        ({"action": "relayed"}, "2.0.0", "relayed", ("status",)),
        ({"action": "failed", "diagnostic-code": "smtp; 450 no"}, "4.0.0", "failed", ("status",)),
        ({"action": "failed", "diagnostic-code": "450 4.7.1 no"}, "4.7.1", "failed", ("status",)),
        ({"action": "failed", "diagnostic-code": "x-unix; 4.7.1"}, "4.7.1", "failed", ("status",)),
        ({}, "5.0.0", "failed", ("status", "action")),
    ],
)
def test_conclusions(
    fields: dict[str, str], status: str, action: str, inferred: tuple[str, ...]
) -> None:
    """Status from diagnostic, reply code or action; action from status or reply code."""
    remarks: list[str] = []
    group = BASE | {name: [value] for name, value in fields.items()}
    found = recipient_status(group, remarks)
    assert (str(found.status), found.action.value, found.inferred) == (status, action, inferred)
    assert bool(remarks) >= bool(inferred)


def test_extensions_are_kept() -> None:
    """What RFC 3464 does not know, all its values."""
    found = recipient_status(BASE | {"x-a": ["1", "2"]}, [])
    assert found.extensions == {"x-a": ["1", "2"]}

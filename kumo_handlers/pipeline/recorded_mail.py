"""A mail as the log tells of it: what was asked, and what became of it.

One mail for one recipient may have several records: one for each recipient a bounce names, and
that of its reception. What the decision depends on stands in each of them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kumo_handlers.pipeline.replies import BY_SCRIPT
from kumo_handlers.policy.situation import Question
from kumo_handlers.reports.report import (
    DSN,
    Action,
    FeedbackReport,
    RecipientStatus,
    Report,
    Source,
    Unreadable,
)

# Of the types of records these tell what was decided; the rest is the relay queue's.
TYPES: Final = frozenset({"Reception", "Rejection", "OOB", "Feedback"})


class Peer(msgspec.Struct, frozen=True):
    """As much of a record's ``peer_address`` as matters."""

    addr: str = ""


class Line(msgspec.Struct, frozen=True):
    """As much of a record as matters. Text that is no UTF-8 is a list of numbers."""

    type: str
    id: str
    sender: str | list[int]
    recipient: str | list[int]
    peer_address: Peer | None = None
    meta: dict[str, Any] = {}
    report: dict[str, Any] | None = None

    @property
    def path(self) -> str | list[int]:
        """The recipient of the mail. An ``OOB`` is about another mail: it came to its sender."""
        return self.sender if self.type == "OOB" else self.recipient


class RecordedMail:
    """The records of one mail for one recipient, put together."""

    __slots__ = ("first", "is_logged", "is_refused", "is_relayed", "report")

    def __init__(self, first: Line) -> None:
        self.first = first
        self.report: Report | None = None
        self.is_logged = self.is_relayed = self.is_refused = False
        self.add(first)

    def add(self, line: Line) -> None:
        """Take another record of the same mail."""
        if line.type == "Rejection":
            self.is_refused = True
        elif line.type == "Reception" and not line.report:
            self.is_relayed = True
        else:
            self.is_logged = True
            self.report = self.report or _report(line)

    @property
    def question(self) -> Question | None:
        """What was asked of the policy; None where the records do not hold it."""
        line, meta = self.first, self.first.meta
        sender = meta.get("reverse_path", "" if line.type == "OOB" else line.sender)
        if not isinstance(line.path, str) or not isinstance(sender, str):
            return None
        return Question(
            peer=line.peer_address.addr if line.peer_address else "",
            sender=sender,
            recipient=line.path,
            listener=str(meta.get("local") or meta.get("listener") or ""),
            authz=meta.get("authz_id"),
        )

    @property
    def rule(self) -> str:
        """The rule that decided."""
        return str(self.first.meta.get("rule", ""))

    @property
    def is_decided(self) -> bool:
        """Whether the relay decision settled it, and no handler or script refused it."""
        return not self.is_refused or self.first.meta.get("reason", BY_SCRIPT) != BY_SCRIPT

    @property
    def kind(self) -> str:
        """``bounce``, ``complaint``, or ``message`` for all that was not read as a report."""
        match self.report:
            case FeedbackReport() | Unreadable(claims="feedback"):
                return "complaint"
            case None:
                return "message"
        return "bounce"


def _report(line: Line) -> Report:
    """A report like the one that was read, as far as the outcome depends on it."""
    said = line.report or {}
    if line.type == "Feedback":
        return FeedbackReport(Source.RFC5965, "abuse")
    if "error" in said:
        return Unreadable(str(said.get("claims")), "")
    action = Action.FAILED if line.type == "OOB" else Action.DELAYED
    return DSN(Source(said.get("source", Source.RFC3464)), (RecipientStatus(action=action),))

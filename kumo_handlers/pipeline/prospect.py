"""What would become of mail to a recipient: of a letter, of a bounce, of a complaint.

The table of `outcome`, asked with samples, before there is any mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.pipeline import outcome
from kumo_handlers.pipeline.outcome import Outcome, Then
from kumo_handlers.reports.report import DSN, FeedbackReport, RecipientStatus, Report, Source

if TYPE_CHECKING:
    from kumo_handlers.policy.relaying import RelayDisposition

# What is sent, by the word for it: a standard report of each kind, and mail that is none.
SAMPLES: dict[str, Report | None] = {
    "message": None,
    "bounce": DSN(Source.RFC3464, (RecipientStatus(),)),
    "complaint": FeedbackReport(Source.RFC5965, "abuse"),
}
_LOGGED_AS = {"bounce": "OOB", "complaint": "Feedback"}


class Prospect(msgspec.Struct, frozen=True):
    """What becomes of one kind of mail: the types it is logged as, and where it goes."""

    what: str
    records: tuple[str, ...]
    then: Then
    because: str


def prospects(disposition: RelayDisposition) -> tuple[Prospect, ...]:
    """What becomes of mail of each kind; nothing comes in where the recipient is refused."""
    if not disposition.accepted:
        return ()
    return tuple(
        _prospect(what, outcome.decide(disposition, sample, null_sender=sample is not None))
        for what, sample in SAMPLES.items()
    )


def _prospect(what: str, decided: Outcome) -> Prospect:
    is_report = decided.is_bounce or decided.is_feedback
    records: tuple[str, ...] = (_LOGGED_AS[what],) if is_report else ()
    if decided.then is Then.RELAY:
        records += ("Reception",)
    elif decided.then is Then.REFUSE:
        records += ("Rejection",)
    return Prospect(what, records, decided.then, decided.because)

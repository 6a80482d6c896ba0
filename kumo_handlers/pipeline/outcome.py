"""What happens after DATA: one table, for each recipient.

| the message is                      | the option says | logged      | then                      |
|-------------------------------------|-----------------|-------------|---------------------------|
| a feedback report, `log_arf` on     | `true`          | `Feedback`  | relayed if `relay`        |
|                                     | `LogThenRelay`  | `Feedback`  | relayed                   |
|                                     | `LogThenDrop`   | `Feedback`  | dropped                   |
| else a bounce, `log_oob` on         | the same three  | `OOB`       | the same                  |
| a bounce that reports no failure    | the same three  | `Reception` | the same                  |
| a report nobody can read, option on | the same three  | `Reception` | kept whole, then the same |
| anything else, or the option is off |                 | `Reception` | relayed if `relay`,       |
|                                     |                 | `Rejection` | else refused              |

`LogThenDrop` says `true` instead where silence could hurt a person: a bounce that was only
guessed at, or not understood, whose reverse-path is not null, may be a bounce that somebody
forwards.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.policy.listener_domain import ReportDisposition
from kumo_handlers.reports.report import DSN, FeedbackReport, Report, Unreadable

if TYPE_CHECKING:
    from kumo_handlers.policy.relaying import RelayDisposition, Rule


class Then(StrEnum):
    """Where a message goes once it is logged."""

    RELAY = "relay"
    DROP = "drop"
    REFUSE = "refuse"


class Logged(StrEnum):
    """What a message is logged as, before it goes anywhere."""

    FEEDBACK = "Feedback"
    OOB = "OOB"
    NO_FAILURE = "no failure"
    UNREADABLE_FEEDBACK = "unreadable feedback report"
    UNREADABLE_BOUNCE = "unreadable bounce"
    NOTHING = "nothing"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What becomes of one message at one recipient, and why, in words for the log."""

    logged: Logged
    then: Then
    because: str

    @property
    def is_feedback(self) -> bool:
        """Whether there is a feedback report to log, readable or not."""
        return self.logged in (Logged.FEEDBACK, Logged.UNREADABLE_FEEDBACK)

    @property
    def is_bounce(self) -> bool:
        """Whether there is a bounce to log, readable or not, of a failure or not."""
        return self.logged in (Logged.OOB, Logged.NO_FAILURE, Logged.UNREADABLE_BOUNCE)

    @property
    def is_unreadable(self) -> bool:
        """Whether the message is kept whole, for nobody can read it."""
        return self.logged in (Logged.UNREADABLE_FEEDBACK, Logged.UNREADABLE_BOUNCE)


def decide(disposition: RelayDisposition, report: Report | None, *, null_sender: bool) -> Outcome:
    """The row of the table. ``report`` is None where none was looked for, or none was found."""
    if report is None:
        return _ordinary(disposition)
    if isinstance(report, FeedbackReport) and disposition.log_arf.logs:
        return _report(disposition, disposition.log_arf, Logged.FEEDBACK, "a feedback report")
    if isinstance(report, DSN) and disposition.log_oob.logs:
        logged = Logged.OOB if report.failures else Logged.NO_FAILURE
        option = _never_silencing(disposition.log_oob, report.source.is_standard or null_sender)
        return _report(disposition, option, logged, f"a bounce ({report.source})")
    if isinstance(report, Unreadable):
        option, logged = (
            (disposition.log_arf, Logged.UNREADABLE_FEEDBACK)
            if report.claims == "feedback"
            else (disposition.log_oob, Logged.UNREADABLE_BOUNCE)
        )
        if option.logs:
            option = _never_silencing(option, null_sender)
            return _report(disposition, option, logged, "a report nobody can read")
    return _ordinary(disposition)


def _ordinary(disposition: RelayDisposition) -> Outcome:
    """What is no report, or none that is asked for."""
    if disposition.relay:
        return _relayed(disposition.rule)
    return Outcome(Logged.NOTHING, Then.REFUSE, "no report, and nothing lets it be relayed")


@cache
def _relayed(rule: Rule) -> Outcome:
    return Outcome(Logged.NOTHING, Then.RELAY, f"relayed by {rule}")


def _never_silencing(option: ReportDisposition, certain: bool) -> ReportDisposition:  # noqa: FBT001 - "if certain" is all it asks
    """Drop only what is certainly a machine's."""
    if option is ReportDisposition.LOG_THEN_DROP and not certain:
        return ReportDisposition.LOG
    return option


def _report(
    disposition: RelayDisposition, option: ReportDisposition, logged: Logged, what: str
) -> Outcome:
    """A report that the option asked for: logged, then as the option says."""
    relayed = option is ReportDisposition.LOG_THEN_RELAY or (
        option is ReportDisposition.LOG and disposition.relay
    )
    return Outcome(logged, Then.RELAY if relayed else Then.DROP, f"{what}, {option.value}")

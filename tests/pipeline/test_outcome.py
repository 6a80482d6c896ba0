"""The table of what happens after DATA, each row, against the reference written out again."""

from __future__ import annotations

import pytest

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.pipeline.outcome import Logged, Outcome, Then, decide
from kumo_handlers.policy.listener_domain import ReportDisposition
from kumo_handlers.policy.relaying import RelayDisposition
from kumo_handlers.reports.report import (
    DSN,
    Action,
    FeedbackReport,
    RecipientStatus,
    Report,
    Source,
    Typed,
    Unreadable,
)

OFF, LOG = ReportDisposition.IGNORE, ReportDisposition.LOG
DROP, RELAY = ReportDisposition.LOG_THEN_DROP, ReportDisposition.LOG_THEN_RELAY

FAILED = RecipientStatus(
    final_recipient=Typed("rfc822", "gone@example.net"), status=EnhancedStatusCode(5, 1, 1)
)
DELAYED = RecipientStatus(
    final_recipient=Typed("rfc822", "slow@example.net"), action=Action.DELAYED
)
FEEDBACK = FeedbackReport(source=Source.RFC5965, feedback_type="abuse")
BOUNCE = DSN(source=Source.RFC3464, recipients=(FAILED,))
GUESS = DSN(source=Source.TEXT, recipients=(FAILED,))
NO_FAILURE = DSN(source=Source.RFC3464, recipients=(DELAYED,))
BAD_FEEDBACK = Unreadable("feedback", "no fields")
BAD_BOUNCE = Unreadable("dsn", "no fields")


def outcome(
    report: Report | None,
    *,
    relay: bool,
    arf: ReportDisposition = OFF,
    oob: ReportDisposition = OFF,
    null_sender: bool = True,
) -> Outcome:
    """What is decided for a recipient with these options."""
    disposition = RelayDisposition(
        relay=relay, accepted=True, rule="relay_to", log_arf=arf, log_oob=oob
    )
    return decide(disposition, report, null_sender=null_sender)


@pytest.mark.parametrize("relay", [True, False])
@pytest.mark.parametrize(
    ("report", "option", "logged"),
    [
        (FEEDBACK, "arf", Logged.FEEDBACK),
        (BAD_FEEDBACK, "arf", Logged.UNREADABLE_FEEDBACK),
        (BOUNCE, "oob", Logged.OOB),
        (NO_FAILURE, "oob", Logged.NO_FAILURE),
        (BAD_BOUNCE, "oob", Logged.UNREADABLE_BOUNCE),
    ],
)
def test_a_report_that_is_wanted(
    report: Report, option: str, logged: Logged, *, relay: bool
) -> None:
    """It is logged; `true` relays it if mail may be relayed, the two others say themselves."""
    if_relay = Then.RELAY if relay else Then.DROP
    for says, then in ((LOG, if_relay), (RELAY, Then.RELAY), (DROP, Then.DROP)):
        decided = outcome(report, relay=relay, **{option: says})  # type: ignore[arg-type]
        assert (decided.logged, decided.then) == (logged, then)


@pytest.mark.parametrize("report", [FEEDBACK, BOUNCE, GUESS, NO_FAILURE, BAD_FEEDBACK, None])
def test_a_report_that_is_not_wanted_is_mail_like_any_other(report: Report | None) -> None:
    """With the options off nothing is logged as a report: relayed if allowed, else refused."""
    for relay, then in ((True, Then.RELAY), (False, Then.REFUSE)):
        decided = outcome(report, relay=relay)
        assert (decided.logged, decided.then) == (Logged.NOTHING, then)


def test_the_other_option_does_not_count() -> None:
    """`log_oob` takes no complaint, `log_arf` no bounce."""
    assert outcome(FEEDBACK, relay=False, oob=LOG).then is Then.REFUSE
    assert outcome(BAD_FEEDBACK, relay=False, oob=LOG).then is Then.REFUSE
    assert outcome(BOUNCE, relay=False, arf=LOG).then is Then.REFUSE
    assert outcome(BAD_BOUNCE, relay=False, arf=LOG).then is Then.REFUSE


def test_ordinary_mail_to_a_reports_address() -> None:
    """With both options on, what is no report is relayed if allowed, else refused."""
    assert outcome(None, relay=False, arf=LOG, oob=LOG).then is Then.REFUSE
    assert outcome(None, relay=True, arf=DROP, oob=DROP).then is Then.RELAY


@pytest.mark.parametrize("report", [GUESS, BAD_BOUNCE])
@pytest.mark.parametrize("relay", [True, False])
def test_a_person_who_forwards_a_bounce_is_not_silenced(report: Report, *, relay: bool) -> None:
    """What was only guessed at is dropped from the null reverse-path alone."""
    assert outcome(report, relay=relay, oob=DROP).then is Then.DROP
    decided = outcome(report, relay=relay, oob=DROP, null_sender=False)
    assert decided.then is (Then.RELAY if relay else Then.DROP)


def test_a_standard_bounce_is_dropped_from_anybody() -> None:
    """Report fields are no guess, whoever the reverse-path names."""
    assert outcome(BOUNCE, relay=True, oob=DROP, null_sender=False).then is Then.DROP

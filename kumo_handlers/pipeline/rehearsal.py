"""What would happen to one message, from RCPT to the reply after DATA, with nobody told of it.

The same stages, the same table and the same records as for mail that arrives; but the app's own
handlers are not asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.journal import reporting
from kumo_handlers.journal.record import (
    Arrival,
    Record,
    RecordType,
    Response,
    reception,
    rejection,
)
from kumo_handlers.mail.reply import Reply
from kumo_handlers.pipeline import outcome
from kumo_handlers.pipeline.outcome import Outcome, Then
from kumo_handlers.pipeline.replies import ACCEPTED, DROPPED, not_permitted
from kumo_handlers.reports import cascade, trace
from kumo_handlers.reports.report import Report

if TYPE_CHECKING:
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.policy.situation import Situation
    from kumo_handlers.reports.classification import Classifier

_LINE_END = re.compile(rb"\r\n|\n|\r")


class Rehearsal(msgspec.Struct, frozen=True):
    """What becomes of the message. ``stage`` is the one that read it; empty where none did."""

    stage: str
    report: Report | None
    outcome: Outcome
    reply: Reply
    records: tuple[Record, ...]


def rehearse(
    situation: Situation,
    disposition: RelayDisposition,
    content: bytes,
    classifier: Classifier,
    now: float,
) -> Rehearsal:
    """Read ``content``, any line ends, as the listener would after an accepted RCPT at ``now``."""
    content = _LINE_END.sub(b"\r\n", content)
    sender = situation.reverse_path
    stage, report = cascade.read_by(content, reverse_path=str(sender), keys=trace.NO_KEYS, now=now)
    wanted = disposition.log_arf.logs or disposition.log_oob.logs
    decided = outcome.decide(disposition, report if wanted else None, null_sender=sender.is_null)
    arrival = Arrival(
        id="",
        session=situation.session,
        reverse_path=sender,
        forward_path=situation.forward_path,
        size=len(content),
        time=now,
        meta={"policy": disposition.policy, "rule": disposition.rule},
    )
    records = _reported(arrival, decided, report, content, classifier)
    if decided.then is Then.REFUSE:
        answer = not_permitted(situation.session.peer)
        records += (rejection(arrival, Response.of(answer, "DATA")),)
    elif decided.then is Then.RELAY:
        answer = ACCEPTED
        if all(record.type is not RecordType.RECEPTION for record in records):
            records += (reception(arrival, Response.of(answer)),)
    else:
        answer = DROPPED
    return Rehearsal(stage, report, decided, answer, records)


def _reported(
    arrival: Arrival,
    decided: Outcome,
    report: Report | None,
    content: bytes,
    classifier: Classifier,
) -> tuple[Record, ...]:
    """The records of the report, where it is logged."""
    if report is None or not (decided.is_bounce or decided.is_feedback):
        return ()
    kept = "the whole message" if decided.is_unreadable else None
    return reporting.records(arrival, report, content, classifier, kept)

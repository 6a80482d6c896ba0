"""From a report to its log records: one ``OOB`` per failed recipient, one ``Feedback``, or neither.

Keys and meanings are KumoMTA's; what it has no key for stands under ``report``, always all of
it, ``null`` where the report does not say. Nothing is read here: neither clock nor file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kumo_handlers.journal.record import (
    Arrival,
    PeerAddress,
    Record,
    RecordType,
    Response,
    arrived,
    reception,
)
from kumo_handlers.journal.report_key import Digest
from kumo_handlers.mail.reply import reply as named_reply
from kumo_handlers.reports import diagnostic
from kumo_handlers.reports.permanence import judge
from kumo_handlers.reports.report import DSN, FeedbackReport, Report, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.reports.classification import Classifier
    from kumo_handlers.reports.report import RecipientStatus, Returned, Typed

ACCEPTED = Response.of(named_reply(250, "2.0.0", "OK"))
# What KumoMTA logs for a peer it does not know.
NO_PEER = "0.0.0.0"  # noqa: S104 - no address is bound here, it is what the record says


def records(
    arrival: Arrival,
    report: Report,
    content: bytes,
    classifier: Classifier,
    kept: str | None = None,
) -> tuple[Record, ...]:
    """Every record that ``report``, read from ``content``, gives: at least one.

    A DSN that reports no failure, and a report that could not be read, are a ``Reception``;
    ``kept`` is the name of the file the latter was kept under.
    """
    if isinstance(report, Unreadable):
        return (unread(arrival, report, kept),)
    digest = Digest(content, arrival.forward_path)
    if isinstance(report, FeedbackReport):
        return (feedback(arrival, report, digest),)
    return tuple(_bounces(arrival, report, digest, classifier)) or (
        no_failure(arrival, report, digest),
    )


def _bounces(
    arrival: Arrival, dsn: DSN, digest: Digest, classifier: Classifier
) -> Iterator[Record]:
    """One record per failure. A recipient named in two groups has two keys."""
    seen: dict[str, int] = {}
    for failure in dsn.failures:
        key = digest.key(failure.recipient, _value(failure.final_recipient))
        times = seen[key] = seen.get(key, 0) + 1
        if times > 1:
            key = digest.key(failure.recipient, _value(failure.final_recipient), str(times))
        yield oob(arrival, dsn, failure, classifier, key)


def oob(
    arrival: Arrival,
    dsn: DSN,
    failure: RecipientStatus,
    classifier: Classifier,
    key: str,
) -> Record:
    """The record of one failed recipient: ``sender`` is who wrote the original, whom it came to."""
    code, text = diagnostic.reply(failure)
    line = diagnostic.classified_text(code, failure.status, failure, text)
    time = arrival.time if failure.last_attempt_date is None else failure.last_attempt_date
    return arrived(
        arrival,
        RecordType.OOB,
        Response(code, failure.status, text),
        sender=str(arrival.forward_path),
        recipient=failure.recipient or "",
        size=0,
        peer_address=PeerAddress(
            _value(dsn.reporting_mta) or "", arrival.session.peer.host or NO_PEER
        ),
        timestamp=int(time),
        event_time=float(time),
        bounce_classification=classifier.classify(line),
        report=_said(dsn.source, dsn.returned, key)
        | {
            "action": failure.action,
            "remote_mta": _text(failure.remote_mta),
            "diagnostic_code": _text(failure.diagnostic_code),
            "original_envelope_id": dsn.original_envelope_id,
            "permanence": judge(failure).permanence,
            "inferred": failure.inferred,
        },
    )


def feedback(arrival: Arrival, report: FeedbackReport, digest: Digest) -> Record:
    """The record of a feedback report; ``report.complaint`` tells whether a person complained."""
    key = digest.key(*report.original_rcpt_to)
    return arrived(
        arrival,
        RecordType.FEEDBACK,
        ACCEPTED,
        feedback_report=_feedback_report(report),
        report=_said(report.source, report.returned, key)
        | {
            "complaint": report.is_complaint,
            "original_envelope_id": report.original_envelope_id,
            "inferred": report.inferred,
        },
    )


def no_failure(arrival: Arrival, dsn: DSN, digest: Digest) -> Record:
    """The record of a DSN by which nobody failed: delayed, delivered, relayed, expanded."""
    told = [
        {"recipient": each.recipient, "action": each.action, "status": _text(each.status)}
        for each in dsn.recipients
    ]
    return reception(
        arrival,
        ACCEPTED,
        report=_said(dsn.source, dsn.returned, digest.key())
        | {
            "action": dsn.recipients[0].action if dsn.recipients else None,
            "original_envelope_id": dsn.original_envelope_id,
            "recipients": told,
        },
    )


def unread(arrival: Arrival, report: Unreadable, kept: str | None) -> Record:
    """The record of what claims to be a report and could not be read."""
    return reception(
        arrival,
        ACCEPTED,
        report={"error": report.reason, "claims": report.claims, "kept": kept},
    )


def _said(source: str, returned: Returned, key: str) -> dict[str, Any]:
    """What stands under ``report`` in every record of a report that was understood."""
    return {
        "source": source,
        "original_message_id": returned.header("message-id"),
        "supplemental_trace": returned.trace,
        "trace_trust": returned.trace_trust,
        "key": key,
    }


def _feedback_report(report: FeedbackReport) -> dict[str, Any]:
    """KumoMTA's keys, ``original_rcpto_to`` spelled as it spells it."""
    mta = report.reporting_mta
    return {
        "feedback_type": report.feedback_type,
        "user_agent": report.user_agent,
        "version": report.version,
        "arrival_date": _date(report.arrival_date),
        "incidents": report.incidents,
        "original_envelope_id": report.original_envelope_id,
        "original_mail_from": report.original_mail_from,
        "reporting_mta": None if mta is None else {"mta_type": mta.type, "name": mta.value},
        "source_ip": report.source_ip,
        "authentication_results": report.authentication_results,
        "original_rcpto_to": report.original_rcpt_to,
        "reported_domain": report.reported_domain,
        "reported_uri": report.reported_uri,
        "extensions": report.extensions,
        "original_message": report.original_message,
        "supplemental_trace": report.returned.trace,
    }


def _date(seconds: float | None) -> str | None:
    """The time as RFC 3339 has it, in UTC: ``2005-03-08T18:00:00Z``."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _value(field: Typed | None) -> str | None:
    return field.value if field is not None else None


def _text(field: object) -> str | None:
    return str(field) if field is not None else None

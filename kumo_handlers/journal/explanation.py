"""A page a person can read: how a message was understood, field by field, and what follows."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kumo_handlers.journal import stored_mail
from kumo_handlers.journal.reporting import records
from kumo_handlers.reports import cascade, diagnostic
from kumo_handlers.reports.permanence import judge
from kumo_handlers.reports.report import DSN, FeedbackReport, RecipientStatus, Source, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.reports.classification import Classifier
    from kumo_handlers.reports.report import Report, Returned

_SOURCES = {
    Source.RFC3464: "fields as RFC 3464 has them",
    Source.RFC5965: "fields as RFC 5965 has them",
    Source.TOLERANT: "fields that depart from the RFC",
    Source.X_FAILED_RECIPIENTS: "the X-Failed-Recipients field and prose",
    Source.FLUFL: "prose that flufl.bounce knows",
    Source.TEXT: "prose",
}
_OF_DSN = (
    *("reporting_mta", "received_from_mta", "dsn_gateway", "arrival_date"),
    "original_envelope_id",
)
_OF_RECIPIENT = (
    *("original_recipient", "final_recipient", "action", "status", "diagnostic_code"),
    *("reply_code", "remote_mta", "last_attempt_date", "will_retry_until", "final_log_id"),
)
_OF_FEEDBACK = (
    *("feedback_type", "user_agent", "version", "arrival_date", "incidents", "source_ip"),
    *("original_mail_from", "original_rcpt_to", "original_envelope_id", "reporting_mta"),
    *("reported_domain", "reported_uri", "authentication_results"),
)
_WIDTH = 30


def explain(content: bytes, classifier: Classifier) -> str:
    """The page of one message, without a line feed at its end."""
    stage, report = cascade.read_by(content)
    lines = [*_asked(stage, report), *_understood(report, classifier)]
    if report is not None:
        arrival = stored_mail.arrival(content, time.time())
        logged = records(arrival, report, content, classifier)
        lines += ["logged as", *(f"  {record.type}" for record in logged)]
    return "\n".join(_printable(line) for line in lines)


def _asked(stage: str, report: Report | None) -> Iterator[str]:
    """The stages in their order, up to the one that understood."""
    yield "stages"
    is_refusal = isinstance(report, Unreadable)
    for name, _ in cascade.STAGES:
        if name != stage:
            yield _pair(name, "no")
        elif is_refusal:
            yield _pair(name, "is one, but cannot be read")
        else:
            yield _pair(name, "yes")
            return
    if report is None:
        yield "neither a bounce nor a complaint"


def _understood(report: Report | None, classifier: Classifier) -> Iterator[str]:
    if isinstance(report, Unreadable):
        yield "not understood"
        yield _pair("claims to be", report.claims)
        yield _pair("reason", report.reason)
    elif isinstance(report, DSN):
        yield f"a bounce, read from {_SOURCES[report.source]} ({report.source})"
        yield from _fields(report, _OF_DSN, ())
        yield from _ignored(report.remarks, report.extensions)
        for number, recipient in enumerate(report.recipients, 1):
            yield f"recipient {number}"
            yield from _recipient(recipient, classifier)
        yield from _returned(report.returned)
    elif isinstance(report, FeedbackReport):
        kind = "a complaint" if report.is_complaint else "feedback, no complaint"
        yield f"{kind}, read from {_SOURCES[report.source]} ({report.source})"
        yield from _fields(report, _OF_FEEDBACK, report.inferred)
        yield from _ignored(report.remarks, report.extensions)
        yield from _returned(report.returned)


def _recipient(recipient: RecipientStatus, classifier: Classifier) -> Iterator[str]:
    """One recipient: its fields, and what was concluded from them."""
    yield from _fields(recipient, _OF_RECIPIENT, recipient.inferred)
    yield from _ignored((), recipient.extensions)
    verdict = judge(recipient)
    if verdict.permanence is not None:
        yield from _classification(recipient, classifier)
    yield _pair("permanence", f"{verdict.permanence or 'no failure'}: {verdict.reason}")


def _classification(recipient: RecipientStatus, classifier: Classifier) -> Iterator[str]:
    code, text = diagnostic.reply(recipient)
    line = diagnostic.classified_text(code, recipient.status, recipient, text)
    yield _pair("classified text", line)
    rule = classifier.rule_for(line)
    if rule is None:
        yield _pair("classification", "Uncategorized: no rule knows it")
    else:
        place = f"{rule.file}:{rule.line}" if rule.file else "a rule"
        yield _pair("classification", f"{rule.class_}, by {place}")


def _fields(value: object, names: tuple[str, ...], inferred: tuple[str, ...]) -> Iterator[str]:
    """The fields that are there; of each, whether it was read or concluded."""
    for name in names:
        found = getattr(value, name)
        if found is None or found in ("", ()):
            continue
        text = ", ".join(found) if isinstance(found, tuple) else str(found)
        if isinstance(found, float):
            text = datetime.fromtimestamp(found, UTC).isoformat(" ")
        yield _pair(name, f"{text}  (inferred)" if name in inferred else text)


def _ignored(remarks: tuple[str, ...], extensions: dict[str, list[str]]) -> Iterator[str]:
    """What was put up with, and the fields that are kept but mean nothing here."""
    for remark in remarks:
        yield _pair("put up with", remark)
    for name, values in extensions.items():
        yield _pair("kept, not used", f"{name}: {'; '.join(values)}")


def _returned(returned: Returned) -> Iterator[str]:
    """The returned message, as far as it says whose it was."""
    yield "returned message"
    for name in ("message-id", "from", "to", "subject"):
        if (value := returned.header(name)) is not None:
            yield _pair(name, value)
    if not returned.headers:
        yield "  none"
    if returned.trace is not None:
        yield _pair("trace", f"{returned.trace} ({returned.trace_trust})")


def _pair(name: str, value: str) -> str:
    return f"  {name:<{_WIDTH}} {value}"


def _printable(line: str) -> str:
    """The line without what could move a terminal's cursor, or is no text."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)

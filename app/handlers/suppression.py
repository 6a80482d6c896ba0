"""Addresses not to write to again: each permanent bounce, each complaint, once.

Meant to be copied: list it among the handlers on reports, behind `arf` and `oob`. Where the table
cannot be written, the report is answered 451, and its sender tries again.
"""

from collections.abc import Iterable

from salmon.routing import nolocking, route_like, stateless

from app.suppression import Row, suppressions
from kumo_handlers.handlers import arf, oob
from kumo_handlers.journal.record import Record
from kumo_handlers.pipeline.received_mail import ReceivedMail


@route_like(oob.START)
@stateless
@nolocking
def BOUNCED(message: ReceivedMail, **_: str) -> None:
    """Suppress each recipient that failed for good."""
    for record in message.records:
        if record.type == "OOB" and record.report["permanence"] == "permanent":
            suppress([record.recipient], f"bounce: {record.bounce_classification}", record)


@route_like(arf.START)
@stateless
@nolocking
def COMPLAINED(message: ReceivedMail, **_: str) -> None:
    """Suppress who complained; `not-spam` and `auth-failure` are no complaints."""
    for record in message.records:
        if record.type == "Feedback" and record.report["complaint"]:
            kind = record.feedback_report["feedback_type"]
            suppress(record.feedback_report["original_rcpto_to"], f"complaint: {kind}", record)


def suppress(addresses: Iterable[str], why: str, record: Record) -> None:
    """Remember ``addresses``. The key makes a report that is delivered twice count once."""
    key = record.key or record.id
    suppressions.add(Row(each, why, record.event_time, key) for each in addresses if each)

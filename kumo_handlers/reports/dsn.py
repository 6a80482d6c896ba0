"""Delivery status notifications (RFC 3464, RFC 6533): the stage for reports that have fields.

One reader for the standard and for what departs from it. It notes each departure; a report
without any is `Source.RFC3464`, every other `Source.TOLERANT`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports import returned, signs, values
from kumo_handlers.reports.fields import PER_MESSAGE, remark, singles
from kumo_handlers.reports.groups import Groups
from kumo_handlers.reports.recipient_status import date, recipient_status
from kumo_handlers.reports.report import DSN, Returned, Source

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

# Thousands of recipients fit into it.
MAX_BODY = 512 * 1024
STANDARD_TYPES = ("message/delivery-status", "message/global-delivery-status")


def read(message: mime.Message) -> DSN | None:
    """The DSN in ``message``: None where no part is one, or none names a recipient."""
    if not message.may_hold_reports:
        return None
    groups = Groups()
    last = -1
    for index, part in enumerate(message.parts):
        if part.content_type.endswith("delivery-status"):
            last = index
            _add(groups, part)
    if last < 0 or not groups.recipients:
        return None
    is_report = message.content_type == "multipart/report"
    if not is_report:
        remark(groups.remarks, "the message is no multipart/report")
    elif message.sign(b"content-type").find(b"delivery-status") < 0:
        # RFC 6522, 3: the parameter has to be there.
        remark(groups.remarks, "the report-type is not delivery-status")
    original = returned.find(message.parts, last, groups.remarks)
    report = assemble(groups, Returned(returned.header_block(original)))
    if report and not is_report and not signs.is_from_mailer(message):
        # A person who forwards a bounce may attach its parts: nobody vouches for them.
        return msgspec.structs.replace(report, source=Source.TEXT)
    return report


def _add(groups: Groups, part: mime.Part) -> None:
    if part.content_type not in STANDARD_TYPES:
        remark(groups.remarks, f"the report has the type {part.content_type[:60]}")
    if part.end - part.body_start > MAX_BODY:
        remark(groups.remarks, f"the report was read up to {MAX_BODY} bytes")
    encoded = part.transfer_encoding
    if encoded and part.content_type != STANDARD_TYPES[1]:
        # RFC 3464, 2.1: seven bits are enough; only RFC 6533, 3 has a use for an encoding.
        remark(groups.remarks, "the report has a transfer encoding")
    text = part.lines(MAX_BODY, encoded)
    known = len(groups.recipients)
    groups.add(text)
    if len(groups.recipients) == known and b"ecipient" in part.header_block:
        # No empty line between the part's own header and its fields: they are in the header.
        remark(groups.remarks, "no empty line before the fields")
        groups.add(part.raw(MAX_BODY))


def assemble(groups: Groups, original: Returned) -> DSN | None:
    """The report that the groups are; None where no recipient is named."""
    remarks = groups.remarks
    recipients = [recipient_status(group, remarks) for group in groups.recipients]
    if not any(recipient.recipient for recipient in recipients):
        return None
    message = groups.message
    written = singles(message)
    reporting_mta = values.typed_or_none(written.get("reporting-mta"))
    if reporting_mta is None:
        # RFC 3464, 2.2.2: the one field about the message that has to be there.
        remark(remarks, "no Reporting-MTA")
    arrival_date = date(written, "arrival-date", remarks)
    return DSN(
        source=Source.TOLERANT if remarks else Source.RFC3464,
        recipients=tuple(recipients),
        reporting_mta=reporting_mta,
        received_from_mta=values.typed_or_none(written.get("received-from-mta")),
        dsn_gateway=values.typed_or_none(written.get("dsn-gateway")),
        arrival_date=arrival_date,
        original_envelope_id=written.get("original-envelope-id") or None,
        extensions={name: found for name, found in message.items() if name not in PER_MESSAGE},
        returned=original,
        remarks=tuple(remarks),
    )

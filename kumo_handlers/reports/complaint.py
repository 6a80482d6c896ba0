"""Feedback reports that have no part with fields, and say in their header what they are.

QUIRK: Hotmail (JMRP) sends the message complained about with a few fields put before its own, and
the subject ``complaint about message from IP``; Amazon SES passes such mail on. Others declare
``report-type=feedback-report`` and forget the part, or write its fields as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kumo_handlers.reports import arf, fields, returned, signs, values

if TYPE_CHECKING:
    from kumo_handlers.reports import mime
    from kumo_handlers.reports.fields import Group
    from kumo_handlers.reports.report import FeedbackReport

_SOURCE_IP = re.compile(r"complaint about message from[ :\[(]*+([0-9a-f.:]{3,45})", re.IGNORECASE)
# Where the recipient stands that they put into the message: Hotmail, and who learnt from it.
_RECIPIENT = ("x-hmxmroriginalrecipient", "x-original-rcpt-to", "x-rcpt-to")
_MAX_TEXT = 64 * 1024
_FIRST = re.compile(r"^[ \t]*+feedback-type[ \t]*+:", re.IGNORECASE | re.MULTILINE)
# A part that begins with the fields that have to be there (RFC 5965, 3.1), in any order.
_BEGINS = re.compile(
    rb"\s*+(?:(?:user-agent|version)[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*)*feedback-type[ \t]*+:",
    re.IGNORECASE,
)
_BEGINNING = 1024


def read(message: mime.Message) -> FeedbackReport | None:
    """The report, most of its fields concluded; None where nothing is complained about."""
    if not _says_so(message):
        return None
    remarks = ["no message/feedback-report part"]
    original = returned.find(message.parts, -1, remarks)
    group = _written(message, remarks)
    if original is None and not group:
        return None
    fields_given = original.embedded() if original is not None else ()
    first = {name.lower(): value for name, value in reversed(fields_given)}
    concluded = _concluded(message, first)
    return arf.assemble(
        concluded | group, original, remarks, sorted(concluded.keys() - group.keys())
    )


def _says_so(message: mime.Message) -> bool:
    """Whether subject, type or parts say that it is a complaint.

    QUIRK: what takes mail out of a mailbox and sends it on declares parts of unknown types as
    files, and the report as multipart/mixed.
    """
    if signs.COMPLAINT in message.sign(b"subject"):
        return True
    if b"feedback-report" in message.sign(b"content-type"):
        return True
    if not message.may_hold_reports or message.parts[-1].content_type not in returned.TYPES:
        return False
    return any(
        part.may_be_text and _BEGINS.match(part.decoded(_BEGINNING)) for part in message.parts[:-1]
    )


def _written(message: mime.Message, remarks: list[str]) -> Group:
    """The fields that stand in a part of text: the paragraph of Feedback-Type."""
    for part in message.parts:
        if part.may_be_text and part.content_type not in returned.TYPES:
            text = part.text(_MAX_TEXT)
            if found := _FIRST.search(text):
                remarks.append("the fields stand in text")
                start = text.rfind("\n\n", 0, found.start()) + 1
                return next(iter(fields.read(text[start:], remarks)), {})
    return {}


def _concluded(message: mime.Message, original: dict[str, str]) -> Group:
    """What the subject and the header fields of the message say."""
    source_ip = _SOURCE_IP.search(message.header("subject") or "")
    recipient = next((original[name] for name in _RECIPIENT if original.get(name)), None)
    return_path = original.get("return-path")
    found = {
        "feedback-type": "abuse",
        "source-ip": source_ip[1] if source_ip else None,
        "original-rcpt-to": values.address(recipient) if recipient else None,
        "original-mail-from": values.address(return_path) if return_path else None,
    }
    return {name: [value] for name, value in found.items() if value}

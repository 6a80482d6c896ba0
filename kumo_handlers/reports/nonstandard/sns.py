"""Amazon SES events as JSON, bare or inside an SNS notification (SES developer guide).

They come by mail where a topic has an e-mail subscription, and as bodies of web hooks that
somebody saved. One event is about one message and one or more of its recipients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports import values
from kumo_handlers.reports.nonstandard import openings, reasons
from kumo_handlers.reports.report import (
    DSN,
    Action,
    FeedbackReport,
    RecipientStatus,
    Returned,
    Source,
    Typed,
)

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

MAX_JSON = 256 * 1024
MAX_RECIPIENTS = 200
_JSON_TYPES = ("text/plain", "application/json")

# The event, the key of its object, the key of its recipients, and what happened to them.
_EVENTS = {
    "Bounce": ("bounce", "bouncedRecipients", Action.FAILED),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients", Action.DELAYED),
    "Delivery": ("delivery", "recipients", Action.DELIVERED),
}
# bounceSubType, where neither status nor diagnostic says more.
_SUBTYPES = {
    "MailboxFull": "2.2",
    "NoEmail": "1.1",
    "Suppressed": "1.1",
    "OnAccountSuppressionList": "1.1",
    "MessageTooLarge": "3.4",
    "ContentRejected": "6.0",
    "AttachmentRejected": "6.0",
}


def read(message: mime.Message) -> DSN | FeedbackReport | None:
    """The event in ``message``; None where there is none, which is told by its first byte."""
    source = _json(message)
    if not source:
        return None
    try:
        event = _event(msgspec.json.Decoder(strict=False).decode(source), depth=0)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if event is None:
        return None
    kind = _text(event, "notificationType") or _text(event, "eventType")
    return _complaint(event) if kind == "Complaint" else _delivery(event, kind)


def _json(message: mime.Message) -> str:
    """The JSON text: the content itself, or the body of a mail from SNS."""
    content = message.content
    if content[:64].lstrip()[:1] == b"{":
        return _object(content[:MAX_JSON].decode("utf-8", "replace"))
    if b"sns.amazonaws.com" not in message.lowered:
        return ""
    part = next((part for part in message.parts if part.content_type in _JSON_TYPES), None)
    return _object(part.text(MAX_JSON)) if part else ""


def _object(text: str) -> str:
    """From the first brace to the last: SNS writes how to unsubscribe behind the object."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if text[:start].isspace() or not start else ""


def _event(found: object, depth: int) -> dict[str, Any] | None:
    """The SES event itself, taken out of SNS's envelope (``Message`` is JSON in a string)."""
    if not isinstance(found, dict):
        return None
    if isinstance(inner := found.get("Message"), str) and depth == 0 and inner[:1] == "{":
        return _event(msgspec.json.decode(inner), depth + 1)
    return found if "mail" in found or "bounce" in found or "complaint" in found else None


def _delivery(event: dict[str, Any], kind: str) -> DSN | None:
    if kind not in _EVENTS:
        return None
    key, recipients, action = _EVENTS[kind]
    detail = _dict(event, key)
    statuses = tuple(
        status
        for entry in _list(detail, recipients)[:MAX_RECIPIENTS]
        if (status := _status(entry, detail, action)) is not None
    )
    if not statuses:
        return None
    mta = _text(detail, "reportingMTA")
    return DSN(
        source=Source.TEXT,
        recipients=statuses,
        reporting_mta=_typed(mta, "dns") if mta else None,
        original_envelope_id=_text(_dict(event, "mail"), "messageId") or None,
        returned=_returned(event),
        remarks=("an event of Amazon SES",),
    )


def _status(entry: object, detail: dict[str, Any], action: Action) -> RecipientStatus | None:
    """One recipient: an object with status and diagnostic, or the address alone."""
    if isinstance(entry, str):
        entry = {"emailAddress": entry}
    if not isinstance(entry, dict) or not (address := _text(entry, "emailAddress")):
        return None
    diagnostic = _text(entry, "diagnosticCode")
    status = EnhancedStatusCode.find(_text(entry, "status"))
    inferred = () if status else ("status",)
    if status is None:
        folded = openings.fold(diagnostic)
        happened = Action.DELAYED if _is_transient(detail) else action
        status = _of_subtype(detail) or reasons.status_of(folded, None, happened)
    code = diagnostic.partition(";")[2].strip()[:3]
    return RecipientStatus(
        final_recipient=Typed("rfc822", values.address(address)),
        action=action,
        status=status,
        diagnostic_code=_typed(diagnostic, "") if diagnostic else None,
        reply_code=int(code) if code.isascii() and code.isdigit() and len(code) == 3 else None,  # noqa: PLR2004 - RFC 5321, 4.2: three digits
        inferred=inferred,
    )


def _is_transient(detail: dict[str, Any]) -> bool:
    return _text(detail, "bounceType") == "Transient"


def _of_subtype(detail: dict[str, Any]) -> EnhancedStatusCode | None:
    subtype = _SUBTYPES.get(_text(detail, "bounceSubType"))
    leading = 4 if _is_transient(detail) else 5
    return EnhancedStatusCode.find(f"{leading}.{subtype}") if subtype else None


def _complaint(event: dict[str, Any]) -> FeedbackReport | None:
    detail = _dict(event, "complaint")
    named = (
        _text(entry, "emailAddress")
        for entry in _list(detail, "complainedRecipients")[:MAX_RECIPIENTS]
        if isinstance(entry, dict)
    )
    recipients = tuple(values.address(address) for address in named if address)
    if not recipients:
        return None
    mail = _dict(event, "mail")
    return FeedbackReport(
        source=Source.TEXT,
        feedback_type=_text(detail, "complaintFeedbackType").lower() or "abuse",
        user_agent=_text(detail, "userAgent"),
        original_mail_from=_text(mail, "source") or None,
        original_rcpt_to=recipients,
        source_ip=_text(mail, "sourceIp") or None,
        returned=_returned(event),
        inferred=() if _text(detail, "complaintFeedbackType") else ("feedback_type",),
        remarks=("an event of Amazon SES",),
    )


def _returned(event: dict[str, Any]) -> Returned:
    """The headers of the message, where the topic is configured to include them."""
    fields = (each for each in _list(_dict(event, "mail"), "headers") if isinstance(each, dict))
    return Returned(tuple((_text(each, "name"), _text(each, "value")) for each in fields)[:1000])


def _typed(text: str, default: str) -> Typed:
    kind, semicolon, value = text.partition(";")
    return Typed(kind.strip().lower(), value.strip()) if semicolon else Typed(default, text)


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _dict(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _list(found: dict[str, Any], key: str) -> list[Any]:
    value = found.get(key)
    return value if isinstance(value, list) else []

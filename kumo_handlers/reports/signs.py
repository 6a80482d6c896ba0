"""Cheap signs in a header block that a message may be a report.

Nearly all mail is none, so these are asked of every message: each is a search in the header
block, and for a few types a look at the first parts.
"""

from __future__ import annotations

import re

from kumo_handlers.reports import encoding, mime
from kumo_handlers.reports.nonstandard import heading

_REPORT_TYPES = ("delivery-status", "feedback-report")

# What Hotmail's complaints have as their subject.
COMPLAINT = b"complaint about message from"

# Subjects that say that something was not delivered, in lower case.
_FAILED = re.compile(
    r"undeliver|returned mail|returned message|failure notice|delivery (?:status )?notification|"
    r"mail delivery|return(?:ed|ing) (?:message )?to sender|non-?deliver|bounced|message rejected|"
    r"delivery (?:has )?(?:failed|failure|error|problem|status|report)|(?:mail|message) failure|"
    r"(?:not|n't) (?:be )?(?:delivered|sent)|message delivery|non remis|unzustellbar|"
    r"unable to deliver"
)
# One of these is in each of them, or an encoded word.
_STEM = re.compile(rb"deliver|return|fail|bounce|reject|remis|zustell|sent|=\?")
# Whom bounces come from: ``mailer-daemon``, not ``bugzilla-daemon``.
_MAILER = re.compile(
    rb"postmaster|(?:^|[<\"'(])\s{0,4}daemon|(?:mail|smtp|mta|post|delivery)\w{0,10}[-_. ]?daemon"
)
# A person answers it, or passes it on.
_REPLY = re.compile(
    heading.TAGS.encode() + rb"(?:re|aw|sv|antw|fwd?|wg|tr|rv)\s*+(?:\[\d{1,3}\])?\s*+:"
)


def is_ordinary(header: mime.Header, reverse_path: str | None) -> bool:
    """Whether no stage can make anything of a message: asked first, and of all mail."""
    if reverse_path == "":
        return False
    content, _, body_start, lowered, found = header
    if not heading.shows_nothing(found, lowered) or content.startswith(b"{"):
        return False
    if found[b"from"].find(b"sns.amazonaws") >= 0:
        return False
    return not mime.may_hold_reports(found, content, body_start, reverse_path)


def may_have_report_text(message: mime.Message) -> bool:
    """Whether the texts of ``message`` are worth a search for report fields.

    What a person answers or passes on is not, nor what a mailing list distributes.
    """
    if message.sign(b"content-type").startswith(b"multipart/report"):
        return True
    if _MAILER.search(message.sign(b"from")):
        return not (_REPLY.match(message.sign(b"subject")) or message.header("list-id"))
    if not says_it_failed(message) or message.header("list-id"):
        return False
    # A person who asks about a bounce keeps its subject, and so does a ticket.
    header = heading.of(message)
    return not (header.is_from_person or header.is_list or header.is_other_business)


def says_it_failed(message: mime.Message) -> bool:
    """Whether the subject says that a message was not delivered, and is no answer to that."""
    subject = message.sign(b"subject")
    if not _STEM.search(subject) or _REPLY.match(subject):
        return False
    return bool(_FAILED.search(encoding.words(message.header("subject") or "").lower()))


def is_null_path(message: mime.Message) -> bool:
    """Whether the reverse-path is null (RFC 5321, 4.5.5); unknown, Return-Path stands for it."""
    if message.reverse_path is not None:
        return message.reverse_path == ""
    return message.sign(b"return-path").strip() == b"<>"


def is_from_mailer(message: mime.Message) -> bool:
    """Whether a program sent it: a null reverse-path, a mailer's name, RFC 3834's field."""
    if is_null_path(message):
        return True
    if _MAILER.search(message.sign(b"from")):
        return True
    return (message.header("auto-submitted") or "").lower() not in ("", "no")


def claims(message: mime.Message) -> str | None:
    """What a message says it is: ``dsn``, ``feedback``, or None for no report."""
    for part in message.parts if message.may_hold_reports else ():
        if part.content_type.endswith(_REPORT_TYPES):
            return "feedback" if part.content_type.endswith("feedback-report") else "dsn"
    if message.content_type == "multipart/report":
        kind = message.root.parameters.get("report-type", "delivery-status").lower()
        if kind == "feedback-report":
            return "feedback"
        # RFC 8098 and RFC 8460 have report-types of their own, which are no bounces.
        return "dsn" if kind == "delivery-status" and not _is_mdn(message) else None
    return "dsn" if is_null_path(message) and says_it_failed(message) else None


def _is_mdn(message: mime.Message) -> bool:
    return any(part.content_type == "message/disposition-notification" for part in message.parts)

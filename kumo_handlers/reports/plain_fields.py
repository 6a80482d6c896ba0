"""Delivery-status fields that stand in plain text: no part of that type, or no MIME at all.

Gateways flatten reports, and some mailers leave out the MIME fields. This is a non-standard
stage, `Source.TEXT`, for nothing vouches that the fields are the sender's own. Quoted ones are
surely not: a person forwards a bounce, or answers it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports import dsn, encoding, fields, header_fields, returned, signs
from kumo_handlers.reports.groups import Groups
from kumo_handlers.reports.nonstandard import prose
from kumo_handlers.reports.report import DSN, Returned, Source

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

MAX_TEXT = 256 * 1024
MAX_LINES = 5000

_START = re.compile(
    r"^[ \t]*+(?:reporting-mta|original-recipient|final-recipient)[ \t]*+:",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD = re.compile(r"[A-Za-z][\w-]*+[ \t]*+:")
# A line that ends softly (RFC 2045, 6.7), and no value that ends in an equals sign.
_SOFT_END = re.compile(r"^(?:[A-Za-z-]++:[ \t]*+|[^\n]{70,75}|[^\n]{1,74}@)=\n", re.MULTILINE)
# Fields of a message (RFC 5322, 3.6), and delimiters: the returned message begins.
_END = re.compile(
    r"^(?:--|(?:received|return-path|content-type|mime-version|message-id|from|to|subject|date|"
    r"dkim-signature|x-mailer)[ \t]*+:)",
    re.MULTILINE | re.IGNORECASE,
)


def read(message: mime.Message) -> DSN | None:
    """The DSN in a text of ``message``, None where there is none that names a recipient."""
    if not signs.may_have_report_text(message):
        return None
    for index, part in enumerate(message.parts):
        if not part.may_be_text or part.content_type in returned.TYPES:
            continue
        text = part.text(MAX_TEXT)
        if part.content_type == "text/html":
            text = prose.of_html(text)
        found = _START.search(text)
        if found and (report := _report(text, found, message, index)):
            return report
    return None


def _report(text: str, found: re.Match[str], message: mime.Message, index: int) -> DSN | None:
    groups = Groups()
    groups.remarks.append("the fields stand in text")
    block, rest = _block(text, found)
    if _SOFT_END.search(block):
        # QUIRK: the source of a part is shown as text, or its header was lost.
        raw = block.encode("utf-8", "surrogateescape")
        block = header_fields.lines(encoding.transferred(raw, "quoted-printable"))
    groups.add(block)
    if not any(_is_complete(group) for group in groups.recipients):
        return None
    original = returned.find(message.parts, index, groups.remarks)
    given = returned.header_block(original) if original else returned.header_block_in(rest)
    report = dsn.assemble(groups, Returned(given))
    return msgspec.structs.replace(report, source=Source.TEXT) if report else None


def _is_complete(group: fields.Group) -> bool:
    """Whether a group says who and what: prose has single fields at times."""
    says_who = any("@" in value for name in fields.RECIPIENT for value in group.get(name, ()))
    return says_who and not fields.OF_RECIPIENT.isdisjoint(group)


def _block(text: str, found: re.Match[str]) -> tuple[str, str]:
    """The text of the fields, and what stands behind it."""
    block = text[_paragraph(text, found.start()) :]
    end = _END.search(block)
    return (block[: end.start()], block[end.start() :]) if end else (block, "")


def _paragraph(text: str, start: int) -> int:
    """Where the paragraph of fields starts: Action may stand before the recipient."""
    while start > 0:
        before = text.rfind("\n", 0, start - 1) + 1
        if not _FIELD.match(text, before, start) or _END.match(text, before, start):
            break
        start = before
    return start

"""The message that a report gives back, as far as it does: its headers, and its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.reports import header_fields
from kumo_handlers.reports.fields import remark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.reports import mime


# RFC 3464, 2 and RFC 6533, 4; the last is what older mailers write for the first.
TYPES = frozenset(
    {
        *("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"),
        *("message/rfc822-headers", "text/rfc822", "message/news", "message/partial"),
    }
)
_KNOWN = ("from", "to", "subject", "date", "message-id", "received")
MAX_ORIGINAL = 256 * 1024


def find(parts: Sequence[mime.Part], after: int, remarks: list[str]) -> mime.Part | None:
    """The part that holds it: the first of a fitting type behind the report, else before it.

    QUIRK: some gateways declare it as text; then it is the last part, if it begins as a message.
    """
    for part in (*parts[after + 1 :], *parts[:after]):
        if part.content_type in TYPES:
            return part
    for part in parts[:after:-1]:
        names = {name.lower() for name, _ in part.embedded()}
        if len(names.intersection(_KNOWN)) > 1:
            remark(remarks, f"the returned message has the type {part.content_type[:40]}")
            return part
    return None


def headers(part: mime.Part | None) -> header_fields.Headers:
    """The header fields of the returned message, none where there is none."""
    return part.embedded() if part is not None else ()


def headers_in(text: str) -> header_fields.Headers:
    """The header fields that a text begins with, as far as the first empty line."""
    block = text[:MAX_ORIGINAL].partition("\n\n")[0]
    return header_fields.read(block.encode("utf-8", "surrogateescape"))


def text(part: mime.Part | None, remarks: list[str]) -> str | None:
    """The returned message itself, LF line ends; at most `MAX_ORIGINAL` bytes of it."""
    if part is None:
        return None
    if part.end - part.body_start > MAX_ORIGINAL:
        remark(remarks, f"the returned message was cut after {MAX_ORIGINAL} bytes")
    return part.lines(MAX_ORIGINAL)

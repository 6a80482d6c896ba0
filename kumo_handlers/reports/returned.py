"""The message that a report gives back, as far as it does: its headers, and its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    for part in reversed(parts[after + 1 :]):
        names = {name.lower() for name, _ in part.embedded()}
        if len(names.intersection(_KNOWN)) > 1:
            remark(remarks, f"the returned message has the type {part.content_type[:40]}")
            return part
    return None


def header_block(part: mime.Part | None) -> bytes:
    """The header block of the returned message, empty where there is none."""
    return part.embedded_block() if part is not None else b""


def header_block_in(text: str) -> bytes:
    """What a text begins with, as far as the first empty line."""
    return text[:MAX_ORIGINAL].partition("\n\n")[0].encode("utf-8", "surrogateescape")


def text(part: mime.Part | None, remarks: list[str]) -> str | None:
    """The returned message itself, LF line ends; at most `MAX_ORIGINAL` bytes of it."""
    if part is None:
        return None
    if part.end - part.body_start > MAX_ORIGINAL:
        remark(remarks, f"the returned message was cut after {MAX_ORIGINAL} bytes")
    return part.lines(MAX_ORIGINAL)

"""Our own reading of free text: recipients, reply codes and status out of prose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.reports.nonstandard import evidence, openings, recipients, verdict
from kumo_handlers.reports.nonstandard.notice import Notice
from kumo_handlers.reports.report import DSN, Action, Returned, Source, Unreadable

if TYPE_CHECKING:
    from kumo_handlers.reports import mime
    from kumo_handlers.reports.nonstandard.recipients import Found


def read(message: mime.Message) -> DSN | Unreadable | None:
    """The bounce in ``message``; None where header and text do not make one of it."""
    if not evidence.is_worth_reading(message):
        return None
    notice = Notice(message)
    return read_notice(notice) if evidence.is_believed(message, notice) else None


def read_notice(notice: Notice) -> DSN | Unreadable:
    """The same, for a notice that is known to be one."""
    found = recipients.find(notice)
    if not found:
        return Unreadable("dsn", "it reads as a bounce and names no recipient")
    return dsn(notice, Source.TEXT, found)


def dsn(notice: Notice, source: Source, found: list[Found]) -> DSN:
    """What the notice says of those recipients."""
    said = notice.openings
    if notice.reached:
        # What it says of others is not said of these.
        said = tuple(each for each in said if each.action is not Action.DELIVERED)
    action = openings.action_of(notice.folded, notice.subject, said)
    return DSN(
        source=source,
        recipients=tuple(verdict.on(notice, each, found, action) for each in found),
        returned=Returned(notice.returned_headers),
        remarks=tuple(dict.fromkeys(each.remark for each in found if each.remark)),
    )

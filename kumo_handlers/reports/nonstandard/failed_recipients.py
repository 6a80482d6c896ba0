"""``X-Failed-Recipients``: Exim, Gmail and their kin name the recipients in the header.

The addresses are certain; what happened to each is read from the notice below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.reports.nonstandard import addresses, evidence, text
from kumo_handlers.reports.nonstandard.notice import Notice
from kumo_handlers.reports.nonstandard.recipients import Found
from kumo_handlers.reports.report import DSN, Source

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

FIELD = "x-failed-recipients"
MAX_FIELD = 20_000


def read(message: mime.Message) -> DSN | None:
    """The bounce; None where there is no such field, or an ordinary message carries it."""
    if FIELD.encode() not in message.lowered or not evidence.is_worth_reading(message):
        return None
    return read_notice(Notice(message))


def read_notice(notice: Notice) -> DSN | None:
    """The same, for a notice that is known to be one."""
    if FIELD.encode() not in notice.message.lowered:
        return None
    named = addresses.within(_all_fields(notice.message))
    if not named:
        return None
    found = [Found(address, _line_of(notice, address)) for address in named]
    return text.dsn(notice, Source.X_FAILED_RECIPIENTS, found)


def _all_fields(message: mime.Message) -> str:
    """Every field of that name: Exim writes one for each batch of recipients."""
    values = [value for name, value in message.headers if name.lower() == FIELD]
    return ", ".join(values)[:MAX_FIELD]


def _line_of(notice: Notice, address: str) -> int:
    """The line where the notice comes to this recipient, -1 where it does not."""
    wanted = address.lower()
    lines = enumerate(notice.lines)
    return next((index for index, line in lines if wanted in line.lower()), -1)

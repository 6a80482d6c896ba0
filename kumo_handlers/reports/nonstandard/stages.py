"""The three ways to read a bounce that has no usable fields, the most certain first.

The header is weighed once, so that ordinary mail is refused once, and the notice is taken out of
the message once for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.reports.nonstandard import evidence, failed_recipients, flufl, sns, text
from kumo_handlers.reports.nonstandard.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.reports import mime
    from kumo_handlers.reports.report import DSN, FeedbackReport, Unreadable

# Each is given a notice that is believed, and answers None for "not mine".
STAGES: tuple[Callable[[Notice], DSN | Unreadable | None], ...] = (
    # The sending MTA names the recipients itself, in a field made for it.
    failed_recipients.read_notice,
    # Shapes that others have met before; its answers are checked against the notice.
    flufl.read_notice,
    # Anything that reads as a bounce. Last, for it always answers.
    text.read_notice,
)


def read(message: mime.Message) -> DSN | FeedbackReport | Unreadable | None:
    """What ``message`` reports; None for mail that is no bounce."""
    if (notification := sns.read(message)) is not None:
        return notification
    if not evidence.is_worth_reading(message):
        return None
    notice = Notice(message)
    if not evidence.is_believed(message, notice):
        return None
    return next((report for stage in STAGES if (report := stage(notice)) is not None), None)

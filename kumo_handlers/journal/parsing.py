"""From the bytes of a message to its log records, without listener, policy or folder.

What ``kumo_handlers.parse_report`` and the commands on files do. Where a record needs what only
a session knows, `stored_mail` says what stands for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.journal import stored_mail
from kumo_handlers.journal.record import encode
from kumo_handlers.journal.reporting import records
from kumo_handlers.reports import cascade, classification

if TYPE_CHECKING:
    from kumo_handlers.journal.record import Record
    from kumo_handlers.reports.classification import Classifier


def read(
    content: bytes, classifier: Classifier | None = None, now: float | None = None
) -> tuple[Record, ...]:
    """The records of the report that ``content`` is: none where it is ordinary mail.

    ``now`` is in seconds since the epoch, the clock's where it is not given.
    """
    report = cascade.read(content)
    if report is None:
        return ()
    arrival = stored_mail.arrival(content, time.time() if now is None else now)
    return records(arrival, report, content, classifier or classification.default())


def parse_report(content: bytes) -> list[dict[str, Any]]:
    """The log records of a bounce or a complaint, as dictionaries; an empty list for other mail.

    The shape is that of the log: ``OOB``, one for each failed recipient, or ``Feedback``; a
    ``Reception`` for a bounce by which nobody failed (``report.action``) or that cannot be
    understood (``report.error``). Never raises for what ``content`` holds.
    """
    return [msgspec.json.decode(encode(record)) for record in read(content)]

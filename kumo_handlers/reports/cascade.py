"""What a report is: the ordered table of ways to understand one, and the only place that decides.

Each stage refuses an ordinary message on its header block alone. Pure: keys and the time, by
which a signed trace is judged, are arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports import arf, complaint, dsn, mime, plain_fields, signs, trace
from kumo_handlers.reports.nonstandard import stages
from kumo_handlers.reports.report import DSN, FeedbackReport, Report, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    Stage = Callable[[mime.Message], Report | None]

# In the order of trust: the first that understands the message is right.
STAGES: tuple[tuple[str, Stage], ...] = (
    # A complaint before a bounce, as in KumoMTA: the one may quote the other, not the reverse.
    ("feedback-report part", arf.read),
    # What the sender wrote as fields is what it means to say.
    ("delivery-status part", dsn.read),
    # After the parts: a message with report parts may have a subject that reads as a complaint's.
    ("complaint without fields", complaint.read),
    # The same fields, but nothing says that they were not quoted by a person.
    ("delivery-status fields in text", plain_fields.read),
    # Without fields: JSON, X-Failed-Recipients, known shapes, phrases, in an order of their own.
    ("nonstandard", stages.read),
)


def read(
    content: bytes,
    *,
    reverse_path: str | None = None,
    keys: trace.Keys = trace.NO_KEYS,
    now: float = 0.0,
) -> Report | None:
    """The report that ``content`` is; None for a message that is none.

    ``reverse_path`` is the envelope's, ``""`` the null one, None where it is not known. ``keys``
    and ``now``, in seconds since the epoch, judge the signature of a trace. `Unreadable` is what
    claims to be a report, by its type or by a null reverse-path and a subject that says it
    failed, and was understood by no stage. No content makes this raise.
    """
    header = mime.header(content)
    if signs.is_ordinary(header, reverse_path):
        return None
    return _read(mime.Message(content, reverse_path, header), keys, now)[1]


def read_by(
    content: bytes,
    *,
    reverse_path: str | None = None,
    keys: trace.Keys = trace.NO_KEYS,
    now: float = 0.0,
) -> tuple[str, Report | None]:
    """As `read`, with the name of the stage that understood or refused it, ``""`` if none did."""
    header = mime.header(content)
    if signs.is_ordinary(header, reverse_path):
        return "", None
    return _read(mime.Message(content, reverse_path, header), keys, now)


def _read(message: mime.Message, keys: trace.Keys, now: float) -> tuple[str, Report | None]:
    refused: tuple[str, Unreadable] | None = None
    for name, stage in STAGES:
        report = stage(message)
        if isinstance(report, Unreadable):
            refused = refused or (name, report)
        elif report is not None:
            return name, _traced(report, keys, now)
    return refused or ("", _unreadable(message))


def _traced(report: DSN | FeedbackReport, keys: trace.Keys, now: float) -> DSN | FeedbackReport:
    """The report with the trace that stands in the headers of the returned message."""
    given = report.returned.given
    if isinstance(given, bytes) and not trace.may_stand_in(given):
        return report
    found, trust = trace.find(report.returned.headers, keys, now)
    if found is None:
        return report
    returned = msgspec.structs.replace(report.returned, trace=found, trace_trust=trust)
    return msgspec.structs.replace(report, returned=returned)


def _unreadable(message: mime.Message) -> Unreadable | None:
    """What an unread message says it is, and why that is not enough."""
    claims = signs.claims(message)
    if claims is None:
        return None
    return Unreadable(claims, "its type or its subject says so, and no recipient could be read")

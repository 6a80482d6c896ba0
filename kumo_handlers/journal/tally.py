"""Bounces and complaints of a log, counted: how many, of whom, why, and in which hour.

Of each line only what is counted is decoded. Nothing is read here but what `Tally.count` is
given; what is kept grows with the hours and domains there are, not with the log.
"""

from __future__ import annotations

from collections import Counter
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.journal.providers import provider_of
from kumo_handlers.journal.selection import Selection, domain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOUR = 3600
UNKNOWN = "unknown"


class Event(IntEnum):
    """What is counted."""

    DELIVERED = 0
    BOUNCED = 1  # by the relay, while we delivered
    RETURNED = 2  # by a report that came back later
    COMPLAINED = 3


class _Complaint(msgspec.Struct, frozen=True, gc=False):
    feedback_type: str | None = None
    original_rcpto_to: Any = ()


class _Said(msgspec.Struct, frozen=True, gc=False):
    complaint: bool = False


class _Line(msgspec.Struct, frozen=True, gc=False):
    """The part of a record that is counted."""

    type: str
    recipient: Any
    sender: Any
    event_time: float
    created_time: float
    bounce_classification: str = UNKNOWN
    feedback_report: _Complaint | None = None
    report: _Said | None = None


_EVENTS = {
    "Delivery": Event.DELIVERED,
    "Bounce": Event.BOUNCED,
    "Expiration": Event.BOUNCED,
    "OOB": Event.RETURNED,
}
_decoder = msgspec.json.Decoder(_Line)


class Row(msgspec.Struct, frozen=True):
    """The counts of one domain, provider, class or hour."""

    name: str
    delivered: int
    bounced: int
    complaints: int
    attempted: int

    @property
    def bounce_rate(self) -> float | None:
        """Bounces among what was handed over or refused; None where that is nothing."""
        return self.bounced / self.attempted if self.attempted else None

    @property
    def complaint_rate(self) -> float | None:
        """Complaints among what was delivered; None where that is nothing."""
        return self.complaints / self.delivered if self.delivered else None

    def called(self, name: str) -> Row:
        """The same counts under another name."""
        return msgspec.structs.replace(self, name=name)

    def plus(self, others: Iterable[Row]) -> Row:
        """The counts of all of them, under this one's name."""
        counts = ("delivered", "bounced", "complaints", "attempted")
        rows = (self, *others)
        return Row(self.name, *(sum(getattr(row, count) for row in rows) for count in counts))


class Tally:
    """The counts of the lines it was given.

    ``records`` is how many records are wanted, ``unread`` how many lines were none.
    """

    def __init__(self, wanted: Selection | None = None) -> None:
        self._wanted = wanted or Selection()
        self._is_choosy = self._wanted != Selection()
        self._counts: Counter[tuple[int, str, str, Event]] = Counter()
        self.records = 0
        self.unread = 0

    def count(self, lines: bytes) -> None:
        """Count whole lines."""
        try:
            records = _decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            records = [each for each in map(self._read, lines.splitlines()) if each is not None]
        if not self._is_choosy:
            self.records += len(records)
        counts, events, is_choosy = self._counts, _EVENTS, self._is_choosy
        for record in records:
            event = events.get(record.type)
            if event is not None:
                domain, why = domain_of(record.recipient), record.bounce_classification
            elif record.report is not None and record.report.complaint:
                event, (domain, why) = Event.COMPLAINED, _complaint(record)
            else:
                self.records += is_choosy and record in self._wanted
                continue
            if is_choosy:
                if not self._is_wanted(record, domain):
                    continue
                self.records += 1
            hour = int(record.created_time if event >= Event.RETURNED else record.event_time)
            counts[hour // HOUR, domain, why, event] += 1

    def _read(self, line: bytes) -> _Line | None:
        try:
            return _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.unread += 1
            return None

    def _is_wanted(self, record: _Line, domain: str) -> bool:
        """By the domain that is counted, too: a complaint's recipient is no record's."""
        wanted = self._wanted
        if wanted.is_asked(domain):
            wanted = msgspec.structs.replace(wanted, domains=())
        return record in wanted

    def total(self) -> Row:
        """All of it, as one row."""
        return _row("", self._counts.items())

    def by_domain(self) -> list[Row]:
        """By recipient's domain; where a complaint hides it, by that of who reported."""
        return self._ranked(lambda key: key[1] or UNKNOWN)

    def by_provider(self) -> list[Row]:
        """By mailbox provider."""
        return self._ranked(lambda key: provider_of(key[1]))

    def by_class(self) -> list[Row]:
        """By why: a bounce's classification, a complaint's type. Deliveries have none."""
        return [
            row
            for row in self._ranked(lambda key: key[2] if key[3] != Event.DELIVERED else "")
            if row.name
        ]

    def by_hour(self) -> list[tuple[int, Row]]:
        """By hour, from the first to the last, with its start in seconds since the epoch."""
        grouped = self._grouped(lambda key: key[0])
        if not grouped:
            return []
        hours = range(min(grouped), max(grouped) + 1)
        return [(hour * HOUR, _row("", grouped.get(hour, ()))) for hour in hours]

    def _ranked(self, name: Callable[[tuple[int, str, str, Event]], str]) -> list[Row]:
        """What bounced or complained most comes first."""
        rows = [_row(key, counts) for key, counts in self._grouped(name).items()]
        return sorted(
            rows, key=lambda row: (-row.bounced - row.complaints, -row.delivered, row.name)
        )

    def _grouped(self, name: Callable[[tuple[int, str, str, Event]], Any]) -> dict[Any, Any]:
        grouped: dict[Any, list[Any]] = {}
        for item in self._counts.items():
            grouped.setdefault(name(item[0]), []).append(item)
        return grouped


def _complaint(record: _Line) -> tuple[str, str]:
    """Domain and type of a complaint."""
    told = record.feedback_report or _Complaint()
    recipients = told.original_rcpto_to
    first = recipients[0] if isinstance(recipients, list) and recipients else ""
    return domain_of(first) or domain_of(record.sender), f"complaint: {told.feedback_type}"


def _row(name: str, counts: Iterable[tuple[tuple[int, str, str, Event], int]]) -> Row:
    sums = [0] * len(Event)
    for key, count in counts:
        sums[key[3]] += count
    delivered, bounced, returned, complaints = sums
    return Row(name, delivered, bounced + returned, complaints, delivered + bounced)

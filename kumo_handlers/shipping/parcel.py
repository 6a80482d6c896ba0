"""One record on its way: its line as it is in the log, and the part it is chosen and told by."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec

from kumo_handlers.journal.selection import domain_of, logged

KEY_SIZE = 16


class _Response(msgspec.Struct, frozen=True, gc=False):
    code: int | None = None


class _Report(msgspec.Struct, frozen=True, gc=False):
    key: Any = None


class Head(msgspec.Struct, frozen=True, gc=False):
    """What is read of a record. An address that is no text is the list of its bytes."""

    type: str
    sender: Any
    recipient: Any
    event_time: float
    created_time: float
    id: str = ""
    queue: str = ""
    site: str = ""
    nodeid: str = ""
    bounce_classification: str = ""
    response: _Response = _Response()
    report: _Report | None = None


class Parcel(msgspec.Struct, frozen=True, dict=True):
    """A record to ship. ``line`` has no line feed."""

    line: bytes
    head: Head

    @cached_property
    def key(self) -> str:
        """What tells this record from every other one: the same for each repeat.

        A report has a key, by which it is one though it came twice, or to two nodes. Any other
        record is told by its line: it holds the message's id and the microsecond.
        """
        return self.report_key or blake2b(self.line, digest_size=KEY_SIZE).hexdigest()

    @property
    def report_key(self) -> str | None:
        """The key of a report; None for what is none."""
        report = self.head.report
        return report.key if report is not None and isinstance(report.key, str) else None

    @property
    def logged(self) -> float:
        """When it was logged, in seconds since the epoch: by our clock, not a reporter's."""
        return logged(self.head)

    @property
    def fields(self) -> dict[str, str]:
        """What a routing key may be made of."""
        head = self.head
        return {
            "type": head.type,
            "domain": domain_of(head.recipient),
            "sender_domain": domain_of(head.sender),
            "queue": head.queue,
            "site": head.site,
            "nodeid": head.nodeid,
            "bounce_classification": head.bounce_classification,
        }


_decode = msgspec.json.Decoder(Head).decode


def parcel(line: bytes) -> Parcel:
    """The parcel of a line. Raises ValueError where it is no record."""
    try:
        return Parcel(line, _decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no record: {error}") from error


def text(address: object) -> str:
    """A record's address as text, whatever bytes it was made of."""
    if isinstance(address, list):
        return bytes(address).decode("utf-8", "replace")
    return address if isinstance(address, str) else ""

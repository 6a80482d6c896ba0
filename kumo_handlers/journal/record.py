"""Log records, in KumoMTA's shape: one JSON object a line.

A record is built from values alone: what arrived (`Arrival`), what a report said, what a relay
answered. Keys KumoMTA has keep KumoMTA's names and meanings; what it has not stands under
``report`` and ``meta``. Encoding is the only place where bytes that are not UTF-8, and line
feeds, are dealt with: neither can break a line.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from kumo_handlers.mail import octets
from kumo_handlers.mail.address import Address
from kumo_handlers.mail.reply import EnhancedStatusCode, Reply
from kumo_handlers.mail.session import Session


class RecordType(StrEnum):
    """The types of KumoMTA that occur here."""

    RECEPTION = "Reception"
    REJECTION = "Rejection"
    OOB = "OOB"
    FEEDBACK = "Feedback"
    DELIVERY = "Delivery"
    TRANSIENT_FAILURE = "TransientFailure"
    BOUNCE = "Bounce"
    EXPIRATION = "Expiration"


_RECEPTION = RecordType.RECEPTION  # an enum finds its members by a call of Python's each time


class Response(msgspec.Struct, frozen=True, gc=False):
    """A reply as records show it; ``command`` is the command it answered, where one is known."""

    code: int
    enhanced_code: EnhancedStatusCode | None = None
    content: str = ""
    command: str | None = None

    @classmethod
    def of(cls, reply: Reply, command: str | None = None) -> Response:
        """The response a `Reply` is."""
        return cls(reply.code, reply.status, reply.text, command)


class PeerAddress(msgspec.Struct, frozen=True, gc=False):
    """Who was at the other end: a name (EHLO's, the relay's, Reporting-MTA) and an IP."""

    name: str
    addr: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log. Times are in seconds since the epoch, ``size`` is in bytes."""

    type: RecordType
    id: str
    sender: str
    recipient: str
    queue: str = ""
    site: str = ""
    size: int = 0
    response: Response
    peer_address: PeerAddress | None = None
    timestamp: int
    event_time: float
    created: int
    created_time: float
    num_attempts: int = 0
    bounce_classification: str = "Uncategorized"
    egress_pool: str | None = None
    egress_source: str | None = None
    source_address: str | None = None
    feedback_report: dict[str, Any] | None = None
    meta: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    delivery_protocol: str | None = None
    reception_protocol: str | None = None
    nodeid: str = ""
    session_id: str | None = None
    tls_cipher: str | msgspec.UnsetType = msgspec.UNSET
    tls_protocol_version: str | msgspec.UnsetType = msgspec.UNSET
    tls_peer_subject_name: list[str] | msgspec.UnsetType = msgspec.UNSET
    report: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    @property
    def key(self) -> str | None:
        """What tells a repeated report from a new one; None for what is no report."""
        return self.report.get("key") if isinstance(self.report, dict) else None


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One message for one recipient, as the listener took it: what every record starts from.

    ``time`` is when it came in, in seconds since the epoch; ``size`` is in bytes.
    """

    id: str
    session: Session
    reverse_path: Address
    forward_path: Address
    size: int
    time: float
    nodeid: str = ""
    meta: dict[str, Any] = {}
    headers: dict[str, Any] = {}


def arrived(arrival: Arrival, kind: RecordType, response: Response, **fields: object) -> Record:
    """A record about `arrival`. ``fields`` replace what is taken from it."""
    session, time = arrival.session, arrival.time
    second = int(time)
    record = Record(
        type=kind,
        id=arrival.id,
        sender=arrival.reverse_path.as_received(),
        recipient=arrival.forward_path.as_received(),
        queue=arrival.forward_path.domain,
        size=arrival.size,
        response=response,
        peer_address=PeerAddress(session.client_name, session.peer.host),
        timestamp=second,
        event_time=time,
        created=second,
        created_time=time,
        meta=session.meta | arrival.meta,
        headers=arrival.headers,
        reception_protocol=session.protocol,
        nodeid=arrival.nodeid,
        session_id=session.id,
    )
    if session.tls:
        fields = session.tls | fields
    return msgspec.structs.replace(record, **fields) if fields else record


def reception(arrival: Arrival, response: Response, **fields: object) -> Record:
    """The message was accepted, and is relayed or kept."""
    return arrived(arrival, _RECEPTION, response, **fields)


def rejection(arrival: Arrival, response: Response, **fields: object) -> Record:
    """The message, or the recipient, was refused."""
    return arrived(arrival, RecordType.REJECTION, response, **fields)


_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    """The record as one line, without its line feed. Bytes that are not UTF-8 become numbers."""
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        return encode_json(record)


def encode_json(value: object) -> bytes:
    """Any value as records show it, for what is kept now and put into a record later."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_without_surrogates(msgspec.to_builtins(value)))


def _without_surrogates(value: object) -> object:
    """The same value, with each string that JSON cannot hold as the list of its bytes."""
    if isinstance(value, str):
        return value if octets.is_utf8(value) else list(octets.of_text(value))
    if isinstance(value, dict):
        return {_key(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


def _key(name: str) -> str:
    return name if octets.is_utf8(name) else name.encode("utf-8", "replace").decode()

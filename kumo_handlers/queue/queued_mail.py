"""Mail to relay: the envelope, the content as it is to be sent, and what later records repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from kumo_handlers.journal.record import Arrival


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of the arrival for the relay and for the records of its attempts.

    ``verified_sender``: whether the reverse-path was one the peer was allowed to use, by
    `relay_hosts`, `relay_from` or `relay_from_authz`. Only such a sender is written to when the
    mail cannot be delivered; everyone else's reverse-path may be forged. ``ids`` are those of the
    recipients, in their order, where several share the mail and each has its own.
    """

    body_8bit: bool = False
    smtputf8: bool = False
    verified_sender: bool = False
    reception_protocol: str | None = None
    nodeid: str = ""
    meta: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    ids: tuple[str, ...] = ()


class QueuedMail(msgspec.Struct, frozen=True, kw_only=True):
    """One message to relay. ``content`` has CRLF line ends, and is sent byte for byte.

    ``reverse_path`` is ``""`` for the null one; ``time`` is when it came in, in seconds since the
    epoch. Addresses are as they were received; what was no UTF-8 in them is surrogate-escaped.
    """

    id: str
    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes
    time: float
    facts: Facts = Facts()

    @classmethod
    def of(
        cls,
        arrival: Arrival,
        recipients: tuple[str, ...],
        content: bytes,
        *,
        body_8bit: bool = False,
        smtputf8: bool = False,
        verified_sender: bool = False,
    ) -> QueuedMail:
        """The mail that came in as `arrival`, for these recipients; the rest as in `Facts`."""
        facts = Facts(
            body_8bit=body_8bit,
            smtputf8=smtputf8,
            verified_sender=verified_sender,
            reception_protocol=arrival.session.protocol,
            nodeid=arrival.nodeid,
            meta=arrival.session.meta | arrival.meta,
            headers=arrival.headers,
        )
        return cls(
            id=arrival.id,
            reverse_path=str(arrival.reverse_path),
            recipients=recipients,
            content=content,
            time=arrival.time,
            facts=facts,
        )

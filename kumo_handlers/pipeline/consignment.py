"""An accepted message on its way from the node that took it to the one that handles it.

Everything that was decided at RCPT and after DATA goes along, and holds there: the rules of the
two nodes may be of different versions. Fields may be added with a default; a change that an older
node would misread is a new `broker.encoding.VERSION`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.broker.terms import BOUNCES, COMPLAINTS, MAIL
from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail.address import Address
from kumo_handlers.mail.session import Envelope, Session
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener import LineEndings, Listener, TraceHeaders
from kumo_handlers.policy.listener_domain import ListenerDomain, ReportDisposition
from kumo_handlers.policy.relaying import RelayDisposition, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided on one recipient. ``entry`` and ``section`` name the entry that did."""

    relay: bool
    rule: Rule
    log_arf: ReportDisposition = ReportDisposition.IGNORE
    log_oob: ReportDisposition = ReportDisposition.IGNORE
    policy: str = ""
    entry: str | None = None
    section: str = ""

    @classmethod
    def of(cls, disposition: RelayDisposition) -> Decision:
        """As much of it as matters after 250."""
        found = disposition.found
        return cls(
            disposition.relay,
            disposition.rule,
            disposition.log_arf,
            disposition.log_oob,
            disposition.policy,
            found.key if found else None,
            found.section if found else "",
        )

    def disposition(self) -> RelayDisposition:
        """The decision, with an entry of the same effect after 250: who may send is settled."""
        options = ListenerDomain(
            relay_to=self.rule == "relay_to", log_oob=self.log_oob, log_arf=self.log_arf
        )
        return RelayDisposition(
            self.relay,
            accepted=True,
            rule=self.rule,
            log_arf=self.log_arf,
            log_oob=self.log_oob,
            found=None if self.entry is None else Found(options, self.entry, self.section),
            policy=self.policy,
        )


class Copy(msgspec.Struct, frozen=True, omit_defaults=True):
    """One recipient's. ``content`` is None where it is the message's."""

    id: str
    time: float
    envelope: Envelope
    forward_path: Address
    decision: Decision
    meta: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    content: bytes | None = None
    is_discarded: bool = False


class Consignment(msgspec.Struct, frozen=True):
    """One message for those recipients for whom there is something to do yet.

    ``id`` is the transaction's; ``nodeid`` who took it.
    """

    id: str
    nodeid: str
    session: Session
    hostname: str
    trace_headers: TraceHeaders
    invalid_line_endings: LineEndings
    content: bytes
    copies: tuple[Copy, ...]

    @classmethod
    def of(cls, name: str, mails: Sequence[ReceivedMail]) -> Consignment:
        """What was accepted, of one transaction."""
        first = mails[0]
        return cls(
            id=name,
            nodeid=first.arrival.nodeid,
            session=first.arrival.session,
            hostname=first.listener.hostname,
            trace_headers=first.listener.trace_headers,
            invalid_line_endings=first.listener.invalid_line_endings,
            content=first.Data,
            copies=tuple(_copy(mail, first.Data) for mail in mails),
        )

    def only(self, ids: set[str]) -> Consignment:
        """The same for some of its recipients."""
        copies = tuple(copy for copy in self.copies if copy.id in ids)
        return msgspec.structs.replace(self, copies=copies)

    def mails(self) -> list[ReceivedMail]:
        """What the handlers of each recipient are given."""
        listener = Listener(
            listen=self.session.listener or "127.0.0.1:0",
            hostname=self.hostname,
            trace_headers=self.trace_headers,
            invalid_line_endings=self.invalid_line_endings,
        )
        return [self._mail(copy, listener) for copy in self.copies]

    def _mail(self, copy: Copy, listener: Listener) -> ReceivedMail:
        content = self.content if copy.content is None else copy.content
        arrival = Arrival(
            id=copy.id,
            session=self.session,
            reverse_path=copy.envelope.reverse_path,
            forward_path=copy.forward_path,
            size=len(content),
            time=copy.time,
            nodeid=self.nodeid,
            meta=dict(copy.meta),
            headers=copy.headers,
        )
        mail = ReceivedMail(arrival, copy.envelope, listener, copy.decision.disposition(), content)
        mail.is_discarded = copy.is_discarded
        return mail


def _copy(mail: ReceivedMail, common: bytes) -> Copy:
    arrival = mail.arrival
    return Copy(
        id=arrival.id,
        time=arrival.time,
        envelope=mail.envelope,
        forward_path=arrival.forward_path,
        decision=Decision.of(mail.disposition),
        meta=arrival.meta,
        headers=arrival.headers,
        content=None if mail.Data == common else mail.Data,
        is_discarded=mail.is_discarded,
    )


def kind_of(mails: Sequence[ReceivedMail]) -> str:
    """The class of a message: of complaints, bounces and other mail the first that it is."""
    outcomes = [mail.outcome for mail in mails]
    if any(outcome.is_feedback for outcome in outcomes):
        return COMPLAINTS
    return BOUNCES if any(outcome.is_bounce for outcome in outcomes) else MAIL

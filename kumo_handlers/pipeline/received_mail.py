"""What a handler is given: Salmon's `MailRequest`, as the listener received it.

One per recipient, with the envelope untouched, and parsed only when somebody looks. Salmon's own
replaces the null reverse-path by the From header, lower-cases recipients and parses in its
constructor; none of that happens here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from salmon import encoding
from salmon.mail import MailRequest

from kumo_handlers.pipeline import installation, outcome
from kumo_handlers.pipeline.dispatch import dispatch
from kumo_handlers.queue.unit import Unit
from kumo_handlers.reports import cascade

if TYPE_CHECKING:
    from kumo_handlers.journal.record import Arrival, Record
    from kumo_handlers.mail.session import Envelope
    from kumo_handlers.pipeline.dispatch import Outgoing
    from kumo_handlers.pipeline.outcome import Outcome
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.queue.kept import KeptMail
    from kumo_handlers.reports.report import Report


class ReceivedMail(MailRequest):
    """A message for one recipient.

    Beside what every `MailRequest` has (``Peer``, ``From``, ``To``, ``Data``, headers by
    subscript, ``body()``): ``arrival`` and ``envelope`` say who sent it and how,
    ``disposition`` what was decided at RCPT, ``report`` what it says if it is a bounce or a
    complaint, ``outcome`` what becomes of it, ``records`` what is logged about it so far,
    ``handler`` which handler has it now, ``is_discarded`` whether it is accepted and goes nowhere.
    """

    def __init__(
        self,
        arrival: Arrival,
        envelope: Envelope,
        listener: Listener,
        disposition: RelayDisposition,
        content: bytes,
        *,
        at_once: bool = False,
    ) -> None:
        """``content`` is the message as received, CRLF line ends, no header of ours.

        ``at_once`` commits what is staged when it is staged: behind a stock receiver there is no
        later moment before the reply.
        """
        self.arrival = arrival
        self.envelope = envelope
        self.listener = listener
        self.disposition = disposition
        self.records: list[Record] = []
        self.outgoing: list[Outgoing] = []
        self.kept: list[KeptMail] = []
        self.handler: str | None = None
        self.is_discarded = False
        self._committed = 0
        self._outcome: Outcome | None = None
        self.at_once = at_once
        self.Peer = (arrival.session.peer.host, arrival.session.peer.port)
        self.From = arrival.reverse_path.as_received()
        self.To = arrival.forward_path.as_received()
        self.Data = content
        self.bounce = None

    def take_staged(self) -> Unit:
        """What was staged since this was last asked, to be committed."""
        unit = Unit(
            records=tuple(self.records[self._committed :]),
            mails=dispatch(self.take_outgoing()),
            kept=tuple(self.kept),
        )
        self._committed = len(self.records)
        self.kept.clear()
        return unit

    def take_outgoing(self) -> list[Outgoing]:
        """What was staged for the relay since this was last asked, without headers of ours."""
        taken, self.outgoing = self.outgoing, []
        return taken

    @cached_property
    def base(self) -> Any:  # noqa: ANN401 - Salmon's MailBase, which has no types
        """The message as Salmon parses it, parsed on first use."""
        base = encoding.from_string(self.Data)
        for name, address in (("from", self.From), ("to", self.To)):
            if name not in base:
                base[name] = address
        return base

    @cached_property
    def report(self) -> Report | None:
        """What the message says if it is, or claims to be, a bounce or a complaint."""
        return cascade.read(
            self.Data,
            reverse_path=self.From,
            keys=installation.current().trace_keys,
            now=self.arrival.time,
        )

    @property
    def outcome(self) -> Outcome:
        """What becomes of the message. Reads it only where an option asks for reports."""
        if self._outcome is None:
            wanted = self.disposition.log_arf.logs or self.disposition.log_oob.logs
            self._outcome = outcome.decide(
                self.disposition,
                self.report if wanted else None,
                null_sender=self.arrival.reverse_path.is_null,
            )
        return self._outcome

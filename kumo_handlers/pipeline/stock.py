"""Mail that came through one of Salmon's own receivers, made into what ours would have given.

`SMTPReceiver`, `LMTPReceiver` and `QueueReceiver` hand over a `MailRequest`. Some of what the
client said is lost by then, and what is lost is never guessed in the client's favour:

- the peer is an address only where it is a tuple; `QueueReceiver` gives a folder's name, a Unix
  socket gives nothing: such a peer is in no network;
- the null reverse-path was replaced by the From header, in the header's own spelling. Salmon
  itself folds an envelope sender to a bare lower-case address, so what is not one is the header;
- line ends became LF, and are CRLF again.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from kumo_handlers.errors import AddressError
from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail import address, octets
from kumo_handlers.mail.session import Envelope, Peer, Session
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.refusals import facts
from kumo_handlers.policy import relaying
from kumo_handlers.smtp.identity import new_id

if TYPE_CHECKING:
    from salmon.mail import MailRequest

    from kumo_handlers.mail.address import Address

_LINE_END = re.compile(rb"\r\n|\n|\r")
_KEPT = "_received_mail"


def received(message: MailRequest) -> ReceivedMail:
    """``message`` as a `ReceivedMail`: itself, or the one made from it when first asked.

    What handlers look for (``report``, ``records``, ``disposition``, ``envelope``) is put on
    ``message`` too. Raises `AddressError` for a recipient that is no address.
    """
    if isinstance(message, ReceivedMail):
        return message
    made: ReceivedMail | None = message.__dict__.get(_KEPT)
    if made is None:
        made = _make(message)
        setattr(message, _KEPT, made)
        message.envelope, message.disposition = made.envelope, made.disposition
        message.records, message.report = made.records, made.report
    return made


def _make(message: MailRequest) -> ReceivedMail:
    installed = installation.current()
    listener = installed.stock_listener
    session = Session(new_id(), _peer(message), hostname=listener.hostname)
    sender, recipient = _reverse_path(message), address.parse(message.To or "")
    disposition = relaying.decide(installed.policy, listener, session, sender, recipient)
    content = _content(message)
    arrival = Arrival(
        id=new_id(),
        session=session,
        reverse_path=sender,
        forward_path=recipient,
        size=len(content),
        time=time.time(),
        nodeid=installed.settings.nodeid,
        meta=facts(session, sender, installed.policy.version) | {"rule": disposition.rule},
    )
    envelope = Envelope(sender, (recipient,))
    return ReceivedMail(arrival, envelope, listener, disposition, content, at_once=True)


def _peer(message: MailRequest) -> Peer:
    if not isinstance(message.Peer, tuple) or not message.Peer:
        return Peer("")
    host, *rest = message.Peer
    return Peer(str(host), int(rest[0]) if rest else 0)


def _reverse_path(message: MailRequest) -> Address:
    sender = message.From
    if not isinstance(sender, str) or sender != sender.strip().lower():
        return address.NULL
    try:
        return address.parse(sender)
    except AddressError:  # a display name, a group: no envelope sender looks like that
        return address.NULL


def _content(message: MailRequest) -> bytes:
    raw = message.Data
    content = raw if isinstance(raw, bytes) else octets.of_text(raw)
    return _LINE_END.sub(b"\r\n", content)

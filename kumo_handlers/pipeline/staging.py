"""What should happen to a mail, said by the handlers, done by whoever replies.

A handler of ours does nothing by itself: it stages records, a message to relay, a message to
keep. Our receiver commits what was staged for all recipients, with that of other messages, before
it answers. Behind a stock receiver there is no such moment, so each staging is committed at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

import msgspec
from salmon.server import SMTPError

from kumo_handlers.journal import reporting
from kumo_handlers.journal.record import RecordType, Response, reception, rejection
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.dispatch import Outgoing
from kumo_handlers.pipeline.replies import ACCEPTED, DROPPED, not_permitted
from kumo_handlers.policy.listener import LineEndings
from kumo_handlers.queue.kept import KeptMail
from kumo_handlers.queue.queued_mail import QueuedMail

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.pipeline.received_mail import ReceivedMail

_LINE_END = re.compile(rb"\r\n|\r|\n")
_HIDDEN_DOT = re.compile(rb"(?:(?<=\r\n)|\A)\0+(?=\.)")
# By these the peer may use its reverse-path: whoever it names may be told of a failure.
_VOUCHED = ("relay_hosts", "relay_from", "relay_from_authz")

_ACCEPTED = Response.of(ACCEPTED)
# Looked up once: an enum finds its members by calls of Python's.
_RECEPTION, _ALLOW = RecordType.RECEPTION, LineEndings.ALLOW


def log_report(mail: ReceivedMail) -> None:
    """Stage the records of the report that ``mail`` is; keep it whole if nobody can read it."""
    installed = installation.current()
    assert mail.report is not None  # noqa: S101 - the outcome says there is one
    kept = None
    if mail.outcome.is_unreadable:
        kept = KeptMail(mail.arrival.id, mail.Data)
        mail.kept.append(kept)
    name = kept.file_name if kept else None
    records = reporting.records(mail.arrival, mail.report, mail.Data, installed.classifier, name)
    mail.records.extend(records)
    _settle(mail)


def relay(mail: ReceivedMail) -> None:
    """Stage ``mail`` for the relay; the headers of the listener come on top of it.

    What the policy discards is only logged: in KumoMTA that is the queue named null.
    """
    if mail.is_discarded:
        mail.records.append(reception(mail.arrival, _ACCEPTED, queue="null"))
        _settle(mail)
        return
    installed = installation.current()
    queued = QueuedMail.of(
        mail.arrival,
        (mail.To,),
        _sendable(mail),
        body_8bit=mail.envelope.body_8bit,
        smtputf8=mail.envelope.smtputf8,
        verified_sender=mail.disposition.rule in _VOUCHED,
    )
    mail.outgoing.append(Outgoing(queued, mail.arrival, mail.listener, installed.trace_keys))
    if not mail.records or all(record.type is not _RECEPTION for record in mail.records):
        mail.records.append(reception(mail.arrival, _ACCEPTED))
    _settle(mail)


def _sendable(mail: ReceivedMail) -> bytes:
    """The content as received, but for what could end it in the middle at another server.

    Where the listener let bare CR or LF in, none of them leaves: RFC 5321, 2.3.8 forbids them,
    and some take one for a line end. Neither does a NUL in front of a line's first dot: RFC 5322,
    4 has NUL as obsolete, and who drops it finds a dot that nobody has doubled.
    """
    content = mail.Data
    if mail.listener.invalid_line_endings is _ALLOW:
        content = _LINE_END.sub(b"\r\n", content)
    return _HIDDEN_DOT.sub(b"", content) if b"\0" in content else content


def refuse(mail: ReceivedMail) -> NoReturn:
    """Stage the refusal's record, and end the mail with its reply."""
    answer = not_permitted(mail.arrival.session.peer)
    meta = mail.arrival.meta | {"reason": mail.outcome.because}
    arrival = msgspec.structs.replace(mail.arrival, meta=meta)
    mail.records.append(rejection(arrival, Response.of(answer, "DATA")))
    _settle(mail)
    raise smtp_error(answer)


def drop() -> NoReturn:
    """End the mail: it is logged, and goes nowhere."""
    raise smtp_error(DROPPED)


def smtp_error(answer: Reply) -> SMTPError:
    """The reply in the form in which Salmon's handlers say one."""
    status = f"{answer.status} " if answer.status else ""
    return SMTPError(answer.code, status + answer.text)


def _settle(mail: ReceivedMail) -> None:
    """Commit now, where nobody does later."""
    if mail.at_once:
        installation.current().committer.commit_blocking(mail.take_staged())

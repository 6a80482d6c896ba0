"""What is committed, and what is replied, once every recipient's mail was handled.

LMTP has a reply for each recipient. SMTP has one for all: where at least one recipient was
accepted it is 250, for the sender must not send that one again, and who failed beside it is kept
in the undeliverable queue. Where none was, the sender still has the message: nothing of it is
kept, and a temporary failure is said before a permanent one, so that it is tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.journal.record import RecordType, Response, reception, rejection
from kumo_handlers.mail.reply import Reply
from kumo_handlers.pipeline.chain import Handled
from kumo_handlers.pipeline.dispatch import dispatch
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.journal.record import Record

_TEMPORARY = range(400, 500)


class Failed(msgspec.Struct, frozen=True):
    """A recipient for whom a handler failed while another one was accepted."""

    mail: ReceivedMail
    handled: Handled


class Settlement(msgspec.Struct, frozen=True):
    """The replies (one, or for LMTP one a recipient), what is committed, and who failed."""

    replies: tuple[Reply, ...]
    unit: Unit
    failed: tuple[Failed, ...] = ()


def settle(
    mails: Sequence[ReceivedMail], handled: Sequence[Handled], *, per_recipient: bool
) -> Settlement:
    """The settlement of one transaction. ``handled`` may end early: the rest was not tried."""
    if len(mails) == 1 and handled[0].reply.accepts:  # nothing to weigh
        return Settlement((handled[0].reply,), _logged(mails[0], handled[0]).take_staged())
    pairs = list(zip(mails, handled, strict=False))
    accepted = [_logged(mail, result) for mail, result in pairs if result.reply.accepts]
    failed = tuple(Failed(mail, result) for mail, result in pairs if not result.reply.accepts)
    records = [record for each in failed for record in _refusals(each)]
    outgoing = [each for mail in accepted for each in mail.take_outgoing()]
    rest = Unit(records=tuple(records), mails=dispatch(outgoing))
    unit = merge([mail.take_staged() for mail in accepted] + [rest])
    replies = tuple(result.reply for result in handled)
    if per_recipient:
        return Settlement(replies, unit)
    if not accepted:
        return Settlement((worst(replies),), unit)
    reply = next(reply for reply in replies if reply.accepts)
    kept = tuple(each for each in failed if not _is_refused_by_policy(each))
    return Settlement((reply,), unit, kept)


def _logged(mail: ReceivedMail, handled: Handled) -> ReceivedMail:
    """What is accepted is in the log, though a handler of the app's own ended it in silence."""
    if not mail.records:
        mail.records.append(reception(mail.arrival, Response.of(handled.reply)))
    return mail


def merge(units: Sequence[Unit]) -> Unit:
    """Several units as one: all of it is committed, or nothing."""
    return Unit(
        records=tuple(record for unit in units for record in unit.records),
        mails=tuple(mail for unit in units for mail in unit.mails),
        kept=tuple(kept for unit in units for kept in unit.kept),
    )


def _is_refused_by_policy(failed: Failed) -> bool:
    """Whether our own `gate` refused it: then it is logged, and a stranger fills no disk."""
    return any(each.type is RecordType.REJECTION for each in failed.mail.records)


def _refusals(failed: Failed) -> list[Record]:
    """The record of a refusal: the one a handler staged, or one that names the handler."""
    staged = [each for each in failed.mail.records if each.type is RecordType.REJECTION]
    if staged:
        return staged
    arrival = failed.mail.arrival
    arrival = msgspec.structs.replace(
        arrival, meta=arrival.meta | {"handler": failed.handled.failed_handler}
    )
    return [rejection(arrival, Response.of(failed.handled.reply, "DATA"))]


def worst(replies: Sequence[Reply]) -> Reply:
    """The reply for all, where all were refused."""
    return next((reply for reply in replies if reply.code in _TEMPORARY), replies[0])

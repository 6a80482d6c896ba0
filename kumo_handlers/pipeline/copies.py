"""A message as the policy wants it: a copy for each recipient, changed or refused by its events.

Without such events a copy is the message as it was received. With them the message is shown
twice: once for all of its recipients, who may become others, and once for each of them. An
address that the policy puts in a recipient's place is treated as that recipient would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.mail.address import Address
from kumo_handlers.mail.reply import Reply
from kumo_handlers.mail.session import Envelope
from kumo_handlers.policy.relaying import RelayDisposition
from kumo_handlers.smtp.identity import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kumo_handlers.policy.session_events import ChangedMessage, SessionEvents
    from kumo_handlers.smtp.backend import Transaction

DATA = "smtp_server_data"
RECEIVED = "smtp_server_message_received"


class Copy(msgspec.Struct, frozen=True):
    """One recipient's copy. ``position`` is that of the forward-path it is due to.

    ``meta`` is what the policy set; ``refusal`` what it refused the copy with, in ``event``.
    """

    id: str
    position: int
    envelope: Envelope
    forward_path: Address
    disposition: RelayDisposition
    content: bytes
    meta: dict[str, Any] = {}
    headers: dict[str, str] = {}
    is_discarded: bool = False
    refusal: Reply | None = None
    event: str = ""


def make(
    transaction: Transaction,
    dispositions: Sequence[RelayDisposition],
    content: bytes,
    events: SessionEvents | None,
) -> list[Copy]:
    """The copies of a message. Raises `PolicyError` where an event fails."""
    if events is not None and events.sees_messages:
        return list(_shown(transaction, dispositions, content, events))
    envelope = transaction.envelope
    made: list[Copy] = []
    for path, disposition in zip(envelope.forward_paths, dispositions, strict=True):
        message_id = new_id() if made else transaction.id
        made.append(Copy(message_id, len(made), envelope, path, disposition, content))
    return made


def _shown(
    transaction: Transaction,
    dispositions: Sequence[RelayDisposition],
    content: bytes,
    events: SessionEvents,
) -> Iterator[Copy]:
    """The copies after the events."""
    session, envelope = transaction.session, transaction.envelope
    paths = envelope.forward_paths
    whole = events.message(transaction.id, session, envelope.reverse_path, paths, content)
    before = dict(whole.meta)
    refusal, event = events.data(session, whole), DATA
    names = events.headers_to_log
    message_id = transaction.id
    for path in whole.recipients:
        position = paths.index(path) if path in paths else 0
        copy = whole.copy(message_id, path)
        if refusal is None:
            copy_refusal, event = events.received(session, copy), RECEIVED
        else:
            copy_refusal = refusal
        for recipient in copy.recipients:
            yield Copy(
                message_id,
                position,
                _envelope(envelope, copy),
                recipient,
                _permitted(dispositions[position], copy),
                copy.content,
                {name: value for name, value in copy.meta.items() if before.get(name) != value},
                copy.headers(names),
                copy.is_discarded,
                copy_refusal,
                event,
            )
            message_id = new_id()


def _envelope(envelope: Envelope, copy: ChangedMessage) -> Envelope:
    return msgspec.structs.replace(
        envelope, reverse_path=copy.sender, forward_paths=copy.recipients
    )


def _permitted(disposition: RelayDisposition, copy: ChangedMessage) -> RelayDisposition:
    """A discarded message is accepted whatever it is: nothing of it is relayed."""
    return msgspec.structs.replace(disposition, relay=True) if copy.is_discarded else disposition


def replies_by_path(
    copies: Sequence[Copy], replies: Sequence[Reply], paths: Sequence[Address], otherwise: Reply
) -> list[Reply]:
    """One reply for each forward-path: a refusal of any copy due to it, else an acceptance."""
    by_path: list[Reply | None] = [None] * len(paths)
    for copy, reply in zip(copies, replies, strict=False):
        known = by_path[copy.position]
        if known is None or known.accepts:
            by_path[copy.position] = reply
    return [reply or otherwise for reply in by_path]

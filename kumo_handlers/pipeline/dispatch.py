"""What goes to the relay: one mail for all recipients of a message who get the same.

Recipients of one message share a copy, and so a transaction with the relay, unless something in
it is theirs alone: another content or metadata by the policy, another rule that let it in, or a
listener that wants headers for each. A shared copy names none of them. Its headers would tell
each recipient of all the others, of blind copies too (RFC 5321, 7.2); so its trace header has the
message's transaction, and whoever has the log finds the recipients by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.journal.record import Arrival, encode_json
from kumo_handlers.pipeline import trace_headers
from kumo_handlers.policy.listener import Listener
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.reports.trace import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

TRANSACTION = "transaction"


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One recipient's mail, still without headers of ours."""

    mail: QueuedMail
    arrival: Arrival
    listener: Listener
    keys: Keys

    @property
    def shares(self) -> object:
        """The same for all who can have one copy."""
        if self.listener.trace_headers.per_recipient or TRANSACTION not in self.arrival.meta:
            return self.mail.id
        return self.mail.reverse_path, self.mail.content, encode_json(self.mail.facts)


def dispatch(outgoing: Sequence[Outgoing]) -> tuple[QueuedMail, ...]:
    """The mails of one transaction as they are queued, in the order of their first recipients."""
    if len(outgoing) == 1:
        return (_addressed(outgoing),)
    groups: dict[object, list[Outgoing]] = {}
    for each in outgoing:
        groups.setdefault(each.shares, []).append(each)
    return tuple(_addressed(group) for group in groups.values())


def _addressed(group: Sequence[Outgoing]) -> QueuedMail:
    """One mail for these, the headers of the listener on top of it."""
    first = group[0]
    mail = first.mail
    shared = first.arrival.meta[TRANSACTION] if len(group) > 1 else None
    headers = trace_headers.make(first.arrival, first.listener, first.keys, shared)
    content = headers + mail.content
    if shared is None:
        return msgspec.structs.replace(mail, content=content)
    ids = tuple(each.mail.id for each in group)
    return msgspec.structs.replace(
        mail,
        recipients=tuple(recipient for each in group for recipient in each.mail.recipients),
        content=content,
        facts=msgspec.structs.replace(mail.facts, ids=ids),
    )

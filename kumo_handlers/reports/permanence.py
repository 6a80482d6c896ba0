"""Whether a failure will happen again: permanent or transient, per recipient.

The question is the one a suppression list asks: may mail be sent to this address again? A
failure is ``permanent`` when the address, or its domain, cannot take mail. It is ``transient``
when another message, or a later one, may get through: a full mailbox, a policy that refused this
sender or this text, a host that did not answer. That the reporting MTA gave up is not the same.

Three witnesses speak and they often disagree: the status (RFC 3463), the reply code (RFC 5321,
4.2) and the action (RFC 3464, 2.3.3). `TABLE` settles it: the first row that applies decides.
A doubt is transient, because a wrong suppression loses mail without anybody noticing.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports.report import Action

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import EnhancedStatusCode
    from kumo_handlers.reports.report import RecipientStatus


class Permanence(StrEnum):
    """What may be expected of the next message to the same address."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"


class Row(msgspec.Struct, frozen=True):
    """One row: what must be so, what follows, and why. An empty condition is always met.

    ``statuses`` are ``subject.detail`` or ``subject`` alone, of any class (RFC 3463, 2);
    ``class_`` is the status's first digit; ``replies`` are reply codes or their first digit.
    ``0`` stands for none given.
    """

    reason: str
    permanence: Permanence | None
    actions: frozenset[Action] = frozenset()
    statuses: frozenset[str] = frozenset()
    class_: int | None = None
    replies: frozenset[int] = frozenset()

    def applies(self, action: Action, status: EnhancedStatusCode | None, reply: int) -> bool:
        """Whether every condition of the row is met; ``reply`` is 0 where there is none."""
        if self.actions and action not in self.actions:
            return False
        if self.class_ is not None and self.class_ != (status.class_ if status else 0):
            return False
        if self.replies and reply not in self.replies and reply // 100 not in self.replies:
            return False
        if not self.statuses:
            return True
        return status is not None and (
            f"{status.subject}.{status.detail}" in self.statuses
            or str(status.subject) in self.statuses
        )


class Judgement(msgspec.Struct, frozen=True):
    """The verdict, None for what was no failure, and the reason in words."""

    permanence: Permanence | None
    reason: str


_PERMANENT, _TRANSIENT = Permanence.PERMANENT, Permanence.TRANSIENT

TABLE: tuple[Row, ...] = (
    Row(
        "the message was delivered or passed on",
        None,
        actions=frozenset({Action.DELIVERED, Action.RELAYED, Action.EXPANDED}),
    ),
    Row("the reporting MTA is still trying", _TRANSIENT, actions=frozenset({Action.DELAYED})),
    # What the details mean holds in either class: 5.2.2 and 4.2.2 are the same full mailbox.
    Row("the mailbox or the system is full", _TRANSIENT, statuses=frozenset({"2.2", "3.1"})),
    Row("the message is too big", _TRANSIENT, statuses=frozenset({"2.3", "3.4"})),
    Row("the delivery time expired", _TRANSIENT, statuses=frozenset({"4.7"})),
    Row(
        # RFC 3463, 3.2; RFC 7505: null MX of the sender is 7.27
        "the sender's address was refused, not the recipient's",
        _TRANSIENT,
        statuses=frozenset({"1.7", "1.8", "7.27"}),
    ),
    Row(
        # RFC 7293 for 7.17 and 7.18, RFC 5248 for 7.13
        "the account is disabled, or its owner or its domain's owner changed",
        _PERMANENT,
        statuses=frozenset({"7.13", "7.17", "7.18"}),
        class_=5,
    ),
    Row("a policy refused this sender or message", _TRANSIENT, statuses=frozenset({"7"})),
    Row("the content could not be taken", _TRANSIENT, statuses=frozenset({"6"})),
    Row(
        "the dialogue failed, not the address",
        _TRANSIENT,
        statuses=frozenset({"5.1", "5.2", "5.3", "5.4", "5.5", "5.6"}),
    ),
    Row("mail goes round in a loop", _TRANSIENT, statuses=frozenset({"4.6", "4.14"})),
    Row("the receiving system is not in order", _TRANSIENT, statuses=frozenset({"3.2", "3.5"})),
    # The specific detail of an address outweighs a reply code of the other class.
    Row(
        "the address or its domain does not exist, or moved",
        _PERMANENT,
        statuses=frozenset({"1.1", "1.2", "1.3", "1.4", "1.6", "1.10"}),
        class_=5,
    ),
    Row(
        "the status is transient, yet the server refused the address for good",
        _PERMANENT,
        statuses=frozenset({"1.1", "1.2", "1.3", "1.6", "1.10"}),
        class_=4,
        replies=frozenset({550, 551, 553}),
    ),
    Row("the reporting MTA gave up after transient failures", _TRANSIENT, class_=4),
    Row("the server's own reply was transient", _TRANSIENT, replies=frozenset({4})),
    Row(
        "the server's reply was about storage or policy", _TRANSIENT, replies=frozenset({552, 571})
    ),
    Row("the status is permanent", _PERMANENT, class_=5),
    Row("the server's reply was permanent", _PERMANENT, replies=frozenset({5})),
    Row("neither status nor reply code says why", _TRANSIENT),
)


def judge(recipient: RecipientStatus) -> Judgement:
    """The verdict of the first row of `TABLE` that applies; the last applies to all."""
    return _settled(recipient.action, recipient.status, recipient.reply_code or 0)


@lru_cache(1024)
def _settled(action: Action, status: EnhancedStatusCode | None, reply: int) -> Judgement:
    row = next(row for row in TABLE if row.applies(action, status, reply))
    return Judgement(row.permanence, row.reason)

"""A listener's backend that hands accepted mail to a message broker, where workers take it.

What the sender is told is decided here, as ever: what no rule lets in is refused, though it takes
reading the message. What the app's own handlers say comes after 250.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from salmon.server import SMTPError

from kumo_handlers.broker import encoding
from kumo_handlers.broker.terms import MAIL
from kumo_handlers.pipeline import chain, copies, staging
from kumo_handlers.pipeline.chain import Handled
from kumo_handlers.pipeline.consignment import Consignment, kind_of
from kumo_handlers.pipeline.dispatch import TRANSACTION
from kumo_handlers.pipeline.intake import Intake
from kumo_handlers.pipeline.outcome import Then
from kumo_handlers.pipeline.replies import ACCEPTED
from kumo_handlers.pipeline.settlement import settle, worst

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from kumo_handlers.broker.publisher import Publisher
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.received_mail import ReceivedMail
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Transaction

_GATE = "kumo_handlers.handlers.gate.START"


class HandOver(Intake):
    """The backend of one listener. 250 is said when the broker has the message on disk."""

    def __init__(
        self,
        listener: Listener,
        installed: Installation,
        threads: Executor,
        publisher: Publisher,
    ) -> None:
        super().__init__(listener, installed, threads)
        self._publisher = publisher

    def message(self, transaction: Transaction, content: bytes) -> asyncio.Future[Sequence[Reply]]:
        """Refuse what has to be, publish the rest, and only then reply."""
        decisions = self._open.pop(transaction.id)
        made = copies.make(transaction, decisions.dispositions, content, decisions.policy.events)
        shared = {TRANSACTION: transaction.id} if len(made) > 1 else {}
        mails = [self._mail(transaction, copy, shared) for copy in made]
        refusals = self._refusals(made, content)
        handled = [
            refused if isinstance(refused, Handled) else _judge(mail)
            for mail, refused in zip(mails, refusals, strict=True)
        ]
        return asyncio.ensure_future(self._publish(transaction, made, mails, handled))

    async def _publish(
        self,
        transaction: Transaction,
        made: Sequence[copies.Copy],
        mails: Sequence[ReceivedMail],
        handled: Sequence[Handled],
    ) -> Sequence[Reply]:
        pairs = list(zip(mails, handled, strict=True))
        accepted = [mail for mail, result in pairs if result.reply.accepts]
        refused = [each for each in pairs if not each[1].reply.accepts]
        if accepted:
            await self._hand_over(transaction.id, accepted)
        if refused:
            self._note(refused)
        replies = [result.reply for result in handled]
        if self._is_lmtp:
            paths = transaction.envelope.forward_paths
            return copies.replies_by_path(made, replies, paths, ACCEPTED)
        return [ACCEPTED] if accepted else [worst(replies)]

    def _note(self, refused: Sequence[tuple[ReceivedMail, Handled]]) -> None:
        """Log the refusals here; they hold up no reply."""
        mails, handled = [mail for mail, _ in refused], [result for _, result in refused]
        self._installed.committer.submit(settle(mails, handled, per_recipient=True).unit)

    async def _hand_over(self, name: str, mails: Sequence[ReceivedMail]) -> None:
        """Return when the broker has it on disk. Raises `StorageError`: nothing is said to be."""
        terms = self._publisher.terms
        # to tell them apart takes reading them: only where it makes a difference
        kind = kind_of(mails) if len(terms.queues) > 1 else MAIL
        body = encoding.encode(Consignment.of(name, mails))
        await self._publisher.publish(terms.queue_of(kind), body, name)


def _judge(mail: ReceivedMail) -> Handled:
    """What the rules say of a message that has come in whole: the sender is there to be told."""
    if mail.is_discarded or mail.disposition.relay or mail.outcome.then is not Then.REFUSE:
        return Handled(ACCEPTED)
    try:
        staging.refuse(mail)
    except SMTPError as error:
        return Handled(chain.reply_of(error), _GATE)

"""A listener's backend: from RCPT to the reply after DATA.

At RCPT the policy decides, and the decision is kept with the transaction. After DATA each
recipient's mail goes through Salmon's handlers, what they staged is committed for all recipients
together, and only then the reply is given. One reply stands for all recipients in SMTP, so what
fails after another recipient was accepted goes to the undeliverable queue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.journal.record import Arrival, Response, rejection
from kumo_handlers.mail.address import NULL
from kumo_handlers.mail.reply import reply
from kumo_handlers.pipeline import chain, copies, trace_headers, undeliverable
from kumo_handlers.pipeline.chain import Handled, Rest
from kumo_handlers.pipeline.dispatch import TRANSACTION
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.refusals import Refusals, facts
from kumo_handlers.pipeline.replies import ACCEPTED, BY_SCRIPT, not_permitted
from kumo_handlers.pipeline.settlement import settle
from kumo_handlers.policy import relaying
from kumo_handlers.policy.base import Policy
from kumo_handlers.policy.listener import Protocol
from kumo_handlers.policy.relaying import RelayDisposition
from kumo_handlers.queue.unit import Unit
from kumo_handlers.smtp.replies import PROCESSING_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.pipeline.copies import Copy
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.settlement import Settlement
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Transaction

_log = logging.getLogger(__name__)
_NEARLY = 0.9  # an event loop's clock is coarser than the one we read
LOOPING = reply(554, "5.4.6", "routing loop detected")


class _Decisions(msgspec.Struct):
    """What one transaction was told: the policy that decides it, and what it decided."""

    policy: Policy
    dispositions: list[RelayDisposition] = []


class Intake:
    """The backend of one listener."""

    def __init__(self, listener: Listener, installed: Installation, threads: Executor) -> None:
        self._listener = listener
        self._installed = installed
        self._threads = threads
        self._rejections = Refusals(installed)
        self._open: dict[str, _Decisions] = {}
        self._is_lmtp = listener.protocol is Protocol.LMTP

    def connected(self, session: Session) -> Reply | Listener | None:
        """Everyone may connect, but for whom the policy does not want."""
        policy = self._installed.policy
        events = policy.events
        if events is None:
            return None
        listener = events.listener(session, self._listener)
        refusal = events.connected(session)
        if refusal is not None:
            return self._refuse(session, NULL, policy, refusal, None)
        return None if listener is self._listener else listener

    def hello(self, session: Session) -> Reply | None:
        """Everyone may say a name, unless the policy minds."""
        policy = self._installed.policy
        refusal = policy.events.hello(session) if policy.events else None
        if refusal is not None:
            verb = "LHLO" if self._is_lmtp else "EHLO"
            self._refuse(session, NULL, policy, refusal, f"{verb} {session.client_name}")
        return refusal

    def mail(self, transaction: Transaction) -> Reply | None:
        """Take the policy of this moment for the whole transaction."""
        policy, session = self._installed.policy, transaction.session
        sender, events = transaction.envelope.reverse_path, policy.events
        refusal = None if events is None else events.mail(session, sender)
        if refusal is not None:
            return self._refuse(session, sender, policy, refusal, f"MAIL FROM:<{sender}>")
        self._open[transaction.id] = _Decisions(policy)
        return None

    def _refuse(
        self,
        session: Session,
        sender: Address,
        policy: Policy,
        answer: Reply,
        command: str | None,
    ) -> Reply:
        """Log that an event of the policy refused what the client said."""
        meta = facts(session, sender, policy.version) | {"reason": BY_SCRIPT}
        return self._rejections.log(session, answer, command, meta, reverse_path=sender)

    def recipient(self, transaction: Transaction, forward_path: Address) -> Reply | None:
        """Decide about a recipient; a refusal is logged, with its reason."""
        decisions = self._open[transaction.id]
        policy, session, listener = decisions.policy, transaction.session, transaction.listener
        sender = transaction.envelope.reverse_path
        decided = relaying.decide(policy, listener, session, sender, forward_path)
        self._installed.counters.decisions[decided.rule] += 1
        if decided.accepted:
            events = policy.events
            refusal = None if events is None else events.recipient(session, forward_path)
            if refusal is None:
                decisions.dispositions.append(decided)
                return None
            answer, reason = refusal, BY_SCRIPT
        else:
            reason = relaying.reason(decided, policy, listener, session)
            answer = not_permitted(session.peer)
        return self._rejections.log(
            session,
            answer,
            f"RCPT TO:<{forward_path}>",
            _facts(transaction, decided) | {"reason": reason},
            reverse_path=sender,
            forward_path=forward_path,
        )

    def message(self, transaction: Transaction, content: bytes) -> asyncio.Future[Sequence[Reply]]:
        """Give the message to the handlers of each recipient, commit, and only then reply.

        What is for one recipient, and only for handlers of ours, goes in one step from the last
        byte to the commit. A task for each message would take longer than the handlers do.
        """
        decisions = self._open.pop(transaction.id)
        policy = decisions.policy
        made = copies.make(transaction, decisions.dispositions, content, policy.events)
        shared = {TRANSACTION: transaction.id} if len(made) > 1 else {}
        mails = [self._mail(transaction, copy, shared) for copy in made]
        begun = self._refusals(made, content)
        first = begun[0] = begun[0] or chain.begin(mails[0], policy)
        if len(mails) == 1 and isinstance(first, Handled):
            settled = settle(mails, [first], per_recipient=self._is_lmtp)
            replies = self._replies(transaction, made, settled)
            return self._installed.committer.commit(settled.unit, replies)
        return asyncio.ensure_future(self._finish(transaction, made, mails, begun, policy))

    async def _finish(
        self,
        transaction: Transaction,
        made: Sequence[Copy],
        mails: Sequence[ReceivedMail],
        begun: Sequence[Handled | Rest | None],
        policy: Policy,
    ) -> Sequence[Reply]:
        """The way of a message that waits for threads, or has several recipients."""
        began = time.monotonic()
        try:
            handled = await self._handle(mails, begun, policy)
        except asyncio.CancelledError:
            limit = transaction.listener.data_processing_timeout
            if time.monotonic() - began > limit * _NEARLY:  # not the listener that stops
                self._note_overdue(mails)
            raise
        settled = settle(mails, handled, per_recipient=self._is_lmtp)
        if settled.failed:
            await self._keep_and_commit(settled)
        else:
            await self._installed.committer.commit(settled.unit)
        return self._replies(transaction, made, settled)

    def _replies(
        self, transaction: Transaction, made: Sequence[Copy], settled: Settlement
    ) -> Sequence[Reply]:
        """What the client hears once it is durable."""
        if self._is_lmtp:
            paths = transaction.envelope.forward_paths
            return copies.replies_by_path(made, settled.replies, paths, ACCEPTED)
        return settled.replies

    async def _keep_and_commit(self, settled: Settlement) -> None:
        """Who failed is kept first; if the rest cannot be committed the sender has it all still."""
        loop = asyncio.get_running_loop()
        keys = await loop.run_in_executor(self._threads, undeliverable.keep, settled.failed)
        try:
            await self._installed.committer.commit(settled.unit)
        except BaseException:
            undeliverable.discard(keys)
            raise

    def reset(self, transaction: Transaction) -> None:
        """Forget a transaction that ends without a message."""
        self._open.pop(transaction.id, None)

    def closed(self, session: Session) -> None:
        """Nothing is kept of a session."""

    def _refusals(self, made: Sequence[Copy], content: bytes) -> list[Handled | Rest | None]:
        """What is refused before any handler sees it; in SMTP all of it, for one refused copy."""
        if trace_headers.is_looping(content):
            return [Handled(LOOPING) for _ in made]
        refused: list[Handled | Rest | None] = [None] * len(made)
        for position, copy in enumerate(made):
            if copy.refusal is not None:
                refused[position] = Handled(copy.refusal, copy.event)
                if not self._is_lmtp:
                    return [refused[position]] * len(made)
        return refused

    async def _handle(
        self, mails: Sequence[ReceivedMail], begun: Sequence[Handled | Rest | None], policy: Policy
    ) -> list[Handled]:
        """One result a mail, in order. A failure ends it while the sender can still be told."""
        loop = asyncio.get_running_loop()
        handled: list[Handled] = []
        for mail, already in zip(mails, begun, strict=True):
            result = already or chain.begin(mail, policy)
            if isinstance(result, Rest):
                result = await loop.run_in_executor(self._threads, result)
            handled.append(result)
            alone = not any(each.reply.accepts for each in handled)
            if result.is_crash and alone and not self._is_lmtp:
                break
        return handled

    def _note_overdue(self, mails: Sequence[ReceivedMail]) -> None:
        """The listener waits no longer: say which handler is at work."""
        for mail in mails:
            mail.arrival.meta["handler"] = mail.handler
            _log.error("handler %s takes too long on %s", mail.handler, mail.arrival.id)
        response = Response.of(PROCESSING_TIMEOUT, "DATA")
        refused = [rejection(mail.arrival, response) for mail in mails]
        self._installed.committer.submit(Unit(records=tuple(refused)))

    def _mail(self, transaction: Transaction, copy: Copy, shared: dict[str, Any]) -> ReceivedMail:
        """What the handlers of one recipient are given. ``shared`` is what all records say."""
        arrival = Arrival(
            id=copy.id,
            session=transaction.session,
            reverse_path=copy.envelope.reverse_path,
            forward_path=copy.forward_path,
            size=len(copy.content),
            time=time.time(),
            nodeid=self._installed.settings.nodeid,
            meta={**copy.meta, **_facts(transaction, copy.disposition), **shared},
            headers=copy.headers,
        )
        mail = ReceivedMail(
            arrival, copy.envelope, transaction.listener, copy.disposition, copy.content
        )
        mail.is_discarded = copy.is_discarded
        return mail


def _facts(transaction: Transaction, decided: RelayDisposition) -> dict[str, Any]:
    """What was decided, and what it depended on."""
    sender = transaction.envelope.reverse_path
    rests_on = facts(transaction.session, sender, decided.policy)
    rests_on["rule"] = decided.rule
    return rests_on

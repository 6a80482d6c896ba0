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

from kumo_handlers.journal.record import Arrival, Response, rejection
from kumo_handlers.mail.reply import reply
from kumo_handlers.pipeline import chain, trace_headers, undeliverable
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.replies import not_permitted
from kumo_handlers.pipeline.settlement import settle
from kumo_handlers.policy import relaying
from kumo_handlers.policy.listener import Protocol
from kumo_handlers.queue.unit import Unit
from kumo_handlers.smtp.identity import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.pipeline.chain import Handled
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.smtp.backend import Transaction

_log = logging.getLogger(__name__)
OVERDUE = reply(451, "4.4.5", "data_processing_timeout exceeded")
LOOPING = reply(554, "5.4.6", "routing loop detected")


class _Decisions:
    """What one transaction was told: the policy that decides it, and what it decided."""

    __slots__ = ("dispositions", "policy")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.dispositions: list[RelayDisposition] = []


class Intake:
    """The backend of one listener."""

    def __init__(self, listener: Listener, installed: Installation, threads: Executor) -> None:
        self._listener = listener
        self._installed = installed
        self._threads = threads
        self._open: dict[str, _Decisions] = {}

    def connected(self, session: Session) -> Reply | None:  # noqa: ARG002 - the contract's
        """Everyone may connect."""
        return None

    def hello(self, session: Session) -> Reply | None:  # noqa: ARG002 - the contract's
        """Everyone may say a name."""
        return None

    def mail(self, transaction: Transaction) -> Reply | None:
        """Take the policy of this moment for the whole transaction."""
        self._open[transaction.id] = _Decisions(self._installed.policy)
        return None

    def recipient(self, transaction: Transaction, forward_path: Address) -> Reply | None:
        """Decide about a recipient; a refusal is logged, with its reason."""
        decisions = self._open[transaction.id]
        policy, session, listener = decisions.policy, transaction.session, transaction.listener
        sender = transaction.envelope.reverse_path
        decided = relaying.decide(policy, listener, session, sender, forward_path)
        if decided.accepted:
            decisions.dispositions.append(decided)
            return None
        answer = not_permitted(session.peer)
        reason = relaying.reason(decided, policy, listener, session)
        _log.info("refused %s for %s: %s", forward_path, session.peer, reason)
        arrival = self._arrival(transaction, forward_path, decided, 0, new_id())
        arrival.meta["reason"] = reason
        refused = rejection(arrival, Response.of(answer, f"RCPT TO:<{forward_path}>"))
        self._installed.committer.submit(Unit(records=(refused,)))
        return answer

    async def message(self, transaction: Transaction, content: bytes) -> Reply | Sequence[Reply]:
        """Give the message to the handlers of each recipient, commit, and only then reply."""
        decisions = self._open.pop(transaction.id)
        mails = self._mails(transaction, decisions, content)
        try:
            handled = await self._handle(mails, decisions.policy, content)
        except asyncio.CancelledError:
            self._note_overdue(mails)
            raise
        settled = settle(mails, handled, per_recipient=self._is_lmtp)
        if settled.failed:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, undeliverable.keep, settled.failed)
        await self._installed.committer.commit(settled.unit)
        return settled.replies

    def reset(self, transaction: Transaction) -> None:
        """Forget a transaction that ends without a message."""
        self._open.pop(transaction.id, None)

    def closed(self, session: Session) -> None:
        """Nothing is kept of a session."""

    @property
    def _is_lmtp(self) -> bool:
        return self._listener.protocol is Protocol.LMTP

    async def _handle(
        self, mails: Sequence[ReceivedMail], policy: Policy, content: bytes
    ) -> list[Handled]:
        """One result a mail, in order. A failure ends it while the sender can still be told."""
        if trace_headers.is_looping(content):
            return [chain.Handled(LOOPING) for _ in mails]
        handled: list[Handled] = []
        for mail in mails:
            result = await chain.run(mail, policy, self._threads)
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
        refused = [rejection(mail.arrival, Response.of(OVERDUE, "DATA")) for mail in mails]
        self._installed.committer.submit(Unit(records=tuple(refused)))

    def _mails(
        self, transaction: Transaction, decisions: _Decisions, content: bytes
    ) -> list[ReceivedMail]:
        """One mail a recipient."""
        paths = transaction.envelope.forward_paths
        ids = [transaction.id, *(new_id() for _ in paths[1:])]
        size = len(content)
        return [
            ReceivedMail(
                self._arrival(transaction, path, decided, size, mail_id),
                transaction.envelope,
                transaction.listener,
                decided,
                content,
            )
            for path, decided, mail_id in zip(paths, decisions.dispositions, ids, strict=True)
        ]

    def _arrival(
        self,
        transaction: Transaction,
        forward_path: Address,
        decided: RelayDisposition,
        size: int,
        mail_id: str,
    ) -> Arrival:
        return Arrival(
            id=mail_id,
            session=transaction.session,
            reverse_path=transaction.envelope.reverse_path,
            forward_path=forward_path,
            size=size,
            time=time.time(),
            nodeid=self._installed.settings.nodeid,
            meta=_facts(transaction, decided),
        )


def _facts(transaction: Transaction, decided: RelayDisposition) -> dict[str, Any]:
    """What was decided, and what it depended on: with these the log can be decided again."""
    session = transaction.session
    return {
        "policy": decided.policy,
        "rule": decided.rule,
        "listener": session.listener,
        "local": session.local,
        "authz_id": session.authz_id,
        # the record of a bounce has the original's sender and recipient
        "reverse_path": str(transaction.envelope.reverse_path),
    }

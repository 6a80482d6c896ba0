"""The events of one connection put to the backend, and its answers given back.

An error is an answer too: the client hears the generic reply of its kind, the log hears the
reason, and nothing is accepted.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import KumoHandlersError, PolicyError
from kumo_handlers.mail.reply import Reply, of_error
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.events import (
    Authenticate,
    Connected,
    Hello,
    Mail,
    Message,
    Recipient,
    Reset,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Backend
    from kumo_handlers.smtp.credentials import Authenticator, Identities
    from kumo_handlers.smtp.events import Event
    from kumo_handlers.smtp.guesses import Guesses
    from kumo_handlers.smtp.protocol import Connection

_log = logging.getLogger(__name__)


class Answers:
    """Answers the events of ``connection``."""

    def __init__(
        self,
        connection: Connection,
        backend: Backend,
        authenticator: Authenticator | None,
        guesses: Guesses,
    ) -> None:
        self._connection = connection
        self._backend = backend
        self._authenticator = authenticator
        self._guesses = guesses

    def put(self, event: Event[Any]) -> Awaitable[None] | None:
        """Answer an event at once; or return what is to be awaited until it is answered."""
        if type(event) is Authenticate:
            return self._authenticate(event)
        try:
            answer = self._ask(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not accept anything
            answer = self._reply_to(error)
        self._connection.answer(event, answer)
        return None

    def _ask(self, event: Event[Any]) -> Reply | Listener | None:
        """What the backend says to an event. A message has more of the first two than of others."""
        backend = self._backend
        if type(event) is Recipient:
            return backend.recipient(event.transaction, event.forward_path)
        if type(event) is Mail:
            return backend.mail(event.transaction)
        match event:
            case Hello():
                return backend.hello(event.session)
            case Connected():
                return backend.connected(event.session)
            case Reset():
                self.tell(lambda: backend.reset(event.transaction))
                return None
            case _:
                raise TypeError(event)

    def tell(self, tell: Callable[[], None]) -> None:
        """Tell the backend something that has no answer."""
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - nobody waits for an answer
            self._reply_to(error)

    def take(self, event: Message) -> asyncio.Future[Reply | Sequence[Reply]] | None:
        """Hand a message over; what came of it is for `conclude`. None if that was an error."""
        try:
            taken = self._backend.message(event.transaction, event.content)
            return taken if isinstance(taken, asyncio.Future) else asyncio.ensure_future(taken)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not accept anything
            self._connection.answer(event, self._reply_to(error))
            return None

    def conclude(self, event: Message, taken: asyncio.Future[Reply | Sequence[Reply]]) -> None:
        """Say what became of a message. Who cancelled it had waited for too long."""
        answer: Reply | Sequence[Reply]
        try:
            answer = taken.result()
        except asyncio.CancelledError:
            _log.error("transaction %s: %s", event.transaction.id, replies.PROCESSING_TIMEOUT)
            answer = replies.PROCESSING_TIMEOUT
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not accept anything
            answer = self._reply_to(error)
        self._connection.answer(event, answer)

    async def _authenticate(self, event: Authenticate) -> None:
        """Check credentials. A wrong password costs time, more with each.

        What is no answer to the password (a database that is away, say) is no guess either.
        """
        host, clock = event.session.peer.host, asyncio.get_running_loop().time
        if self._guesses.are_too_many(host, clock()):
            _log.warning("session %s: %s guesses too much", event.session.id, host)
            self._connection.answer(event, replies.CANNOT_AUTHENTICATE)
            return
        answer, was_asked = await self._check(event)
        if isinstance(answer, Reply):
            said = event.credentials
            _log.warning("session %s: %s of %s: %s", event.session.id, said, host, answer)
            if was_asked:
                await asyncio.sleep(self._guesses.note(host, clock()))
        else:
            self._guesses.forgive(host)
        self._connection.answer(event, answer)

    async def _check(self, event: Authenticate) -> tuple[Identities | Reply, bool]:
        """Who it is, or what it is told; and whether the authenticator had an answer."""
        if self._authenticator is None:
            return replies.CANNOT_AUTHENTICATE, False
        try:
            async with asyncio.timeout(self._connection.listener.data_processing_timeout):
                found = await self._authenticator.authenticate(event.session, event.credentials)
        except PolicyError as error:
            return self._reply_to(error), False
        except Exception as error:  # noqa: BLE001 - whatever it is, it lets nobody in
            self._reply_to(error)
            return replies.CANNOT_AUTHENTICATE, False
        return found or replies.BAD_CREDENTIALS, True

    def _reply_to(self, error: Exception) -> Reply:
        """The generic reply to an error whose reason goes to the log."""
        connection = self._connection
        unforeseen = None if isinstance(error, KumoHandlersError) else error
        session = connection.session
        _log.error("session %s of %s: %s", session.id, session.peer, error, exc_info=unforeseen)
        return of_error(error, connection.listener.hostname)

"""One client on the network: asyncio's side of `protocol.Connection`.

It moves bytes between the transport and the state machine, has its events answered, and keeps the
time. It decides nothing about mail.
"""

from __future__ import annotations

import asyncio
import logging
import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.mail.session import Session
from kumo_handlers.smtp import identity, peername, replies, tls
from kumo_handlers.smtp.answers import Answers
from kumo_handlers.smtp.events import Connected, Message, StartTLS
from kumo_handlers.smtp.protocol import Connection

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable

    from kumo_handlers.smtp.events import Event
    from kumo_handlers.smtp.premises import Premises

_log = logging.getLogger(__name__)

# What a client may send ahead while its message is being dealt with; then TCP holds it back.
MAX_AHEAD: Final = 256 * 1024
# Seconds in which a client may read our last reply. Closing with its input unread would make TCP
# throw the reply away.
LINGER: Final = 2.0
# Octets a second below which content counts as silence.
MIN_RATE: Final = 100.0


class Conversation(asyncio.Protocol):
    """One connection to a listener."""

    def __init__(self, premises: Premises[Conversation]) -> None:
        self._premises = premises
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + premises.listener.client_timeout
        # what is awaited before anything more is read, and until when if it is a message
        self._task: asyncio.Future[Any] | None = None
        self._overdue = math.inf
        self._choked = False
        self._reading = True
        self._stopping = False
        self._leaving = False
        self._is_in_chorus = False
        self._met = False
        self._handshaking = False
        self._early = b""
        self._ended: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        premises = self._premises
        self._transport = cast("asyncio.Transport", transport)
        session = self._introduce()
        premises.turnout.connections += 1
        self._connection = Connection(
            premises.listener, session, offers=premises.offers, turnout=premises.turnout
        )
        self._answers = Answers(
            self._connection, premises.backend, premises.authenticator, premises.guesses
        )
        if premises.census.admitted < premises.listener.max_connections:
            premises.census.enter(self, session.peer.host)
        else:
            premises.census.refuse(self)
            self._connection.shut(replies.too_many_connections(session.hostname))
        self._advance()

    def _introduce(self) -> Session:
        transport, listener = self._transport, self._premises.listener
        sockname = transport.get_extra_info("sockname")
        return Session(
            id=identity.new_id(),
            peer=peername.read(transport.get_extra_info("peername")),
            listener=listener.listen,
            local=listener.listen if listener.path else str(peername.read(sockname)),
            hostname=listener.hostname,
            meta={},
        )

    def data_received(self, chunk: bytes) -> None:
        """The client sent something."""
        if self._leaving:
            return
        if self._handshaking:
            # Reading was paused before the handshake, so this came out of the tunnel: a fast
            # client's first words, which asyncio hands over before it says that there is one.
            self._early += chunk
            return
        connection = self._connection
        if connection.is_reading_content():
            # Content that trickles must not hold its place for ever: time is earned by octets.
            earned = self._deadline + len(chunk) / MIN_RATE
            self._deadline = min(earned, self._clock() + connection.listener.client_timeout)
        connection.receive(chunk)
        if not self._choked:
            self._advance()

    def eof_received(self) -> bool:
        """The client sends no more, and may still want to read."""
        self._connection.receive_end()
        self._advance()
        # TLS connections have no half that could stay open.
        return not self._leaving and self._connection.session.tls is None

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone. A message that is with the backend stays there."""
        del error
        self._leaving = True
        backend = self._premises.backend
        self._premises.census.leave(self)
        if (transaction := self._connection.transaction) is not None:
            self._answers.tell(lambda: backend.reset(transaction))
        if self._met:
            self._answers.tell(lambda: backend.closed(self._connection.session))
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def pause_writing(self) -> None:
        """The client does not read its replies: neither do we read its commands."""
        self._choked = True
        self._throttle()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._choked = False
        self._advance()

    def check_time(self, now: float) -> None:
        """End what takes too long: the client's silence, or the backend's care for a message."""
        if self._task is not None and now >= self._overdue:
            self._task.cancel()
        if now < self._deadline or self._task is not None:
            return
        if self._leaving:
            self._transport.abort()
            return
        self._connection.shut(replies.idle_too_long(self._connection.listener.hostname))
        self._advance()

    def stop(self) -> asyncio.Future[None]:
        """End the conversation, after the message that is on its way if there is one.

        The future is done when the connection is gone.
        """
        self._stopping = True
        self._ended = asyncio.get_running_loop().create_future()
        self._advance()
        return self._ended

    def abort(self) -> asyncio.Future[Any] | None:
        """End the conversation now; what it was waiting for is cancelled, and may be awaited."""
        self._leaving = True
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()
        return self._task

    def _advance(self) -> None:
        """Read on as far as it goes, and say what there is to say."""
        if self._leaving:
            return
        connection = self._connection
        while (
            not (self._stopping and self._is_idle())
            and (event := connection.next_event()) is not None
        ):
            self._put(event)
        if self._stopping and self._is_idle():
            connection.shut(replies.shutting_down(connection.listener.hostname))
        if connection.has_output:
            # Each reply gives the client its time anew.
            self._deadline = self._clock() + connection.listener.client_timeout
            if connection.closing or self._handshaking:
                self._speak()
            elif not self._is_in_chorus:
                self._is_in_chorus = True
                self._premises.chorus.join(self._speak)
        if connection.closing and self._task is None:
            self._leave()
        # Only what waits for an answer lets input pile up.
        if self._task is not None or not self._reading:
            self._throttle()

    def _speak(self) -> None:
        """Send what there is to say."""
        self._is_in_chorus = False
        if (output := self._connection.take_output()) and not self._transport.is_closing():
            self._transport.write(output)

    def _is_idle(self) -> bool:
        """Whether this client has no message on its way."""
        return not (self._connection.is_reading_content() or self._task)

    def _put(self, event: Event[Any]) -> None:
        """Have an event answered."""
        if type(event) is Message:
            self._hand_over(event)
            return
        if type(event) is Connected and self._is_one_too_many(event):
            self._connection.shut(replies.too_many_from_peer(event.session.hostname))
            return
        self._met = True
        waiting: Awaitable[None] | None
        if type(event) is StartTLS:
            self._handshaking = True
            waiting = self._encrypt(event)
        else:
            waiting = self._answers.put(event)
        if waiting is not None:
            self._task = asyncio.get_running_loop().create_task(self._await(waiting))

    def _is_one_too_many(self, event: Connected) -> bool:
        """Count the client under the address that it turned out to have."""
        census, host = self._premises.census, event.session.peer.host
        census.enter(self, host)
        if census.count(host) <= self._connection.listener.max_connections_per_peer:
            return False
        census.refuse(self)
        return True

    def _hand_over(self, event: Message) -> None:
        """Have the backend take a message, and go on when it has."""
        self._task = self._answers.take(event)
        if self._task is not None:
            patience = self._connection.listener.data_processing_timeout
            self._overdue = self._clock() + patience
            self._task.add_done_callback(partial(self._taken, event))

    def _taken(self, event: Message, taken: asyncio.Future[Any]) -> None:
        self._task, self._overdue = None, math.inf
        if self._leaving and taken.cancelled():
            return
        self._answers.conclude(event, taken)
        self._advance()

    async def _await(self, waiting: Awaitable[None]) -> None:
        """Go on when an event was answered."""
        await waiting
        self._task = None
        self._advance()

    async def _encrypt(self, event: StartTLS) -> None:
        """Make the connection an encrypted one; where that fails it ends."""
        try:
            context = self._premises.certificates.context(self._connection.listener)
            encrypted = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=self._connection.listener.client_timeout,
            )
        except (OSError, ConfigurationError) as error:
            _log.warning("session %s: no TLS: %s", event.session.id, error)
            encrypted = None
        self._handshaking = False
        if encrypted is None:
            self._leaving = True
            self._transport.abort()
            return
        self._transport = encrypted
        self._reading = True
        connection = cast("ssl.SSLObject", encrypted.get_extra_info("ssl_object"))
        self._connection.answer(event, tls.describe(connection))
        self._connection.receive(self._early)
        self._early = b""
        self._deadline = self._clock() + self._connection.listener.client_timeout

    def _leave(self) -> None:
        self._leaving = True
        self._deadline = self._clock() + LINGER
        if self._connection.ended or not self._transport.can_write_eof():
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the client was faster, and is gone
            self._transport.abort()

    def _throttle(self) -> None:
        """Let TCP hold back a client that sends more than is read."""
        # What comes behind our reply to STARTTLS is for TLS to read, not for us.
        held = self._choked or self._handshaking or self._connection.buffered > MAX_AHEAD
        wanted = self._leaving or not held
        if wanted != self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

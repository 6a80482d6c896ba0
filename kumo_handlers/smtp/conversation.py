"""One client on the network: asyncio's side of `protocol.Connection`.

It moves bytes between the transport and the state machine, puts the machine's events to the
backend, and keeps the time. It decides nothing about mail.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from kumo_handlers.errors import KumoHandlersError
from kumo_handlers.mail.reply import Reply, of_error
from kumo_handlers.mail.session import Session
from kumo_handlers.smtp import identity, peername, replies
from kumo_handlers.smtp.events import Connected, Event, Hello, Mail, Message, Recipient, Reset
from kumo_handlers.smtp.protocol import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Backend

_log = logging.getLogger(__name__)

# What a client may send ahead while its message is being dealt with; then TCP holds it back.
MAX_AHEAD: Final = 256 * 1024
# Seconds in which a client may read our last reply. Closing with its input unread would make TCP
# throw the reply away.
LINGER: Final = 2.0
# Octets a second below which content counts as silence.
MIN_RATE: Final = 100.0


class Conversation(asyncio.Protocol):
    """One connection to a listener. ``open_ones`` is the listener's set of those there are."""

    def __init__(self, listener: Listener, backend: Backend, open_ones: set[Conversation]) -> None:
        self._listener = listener
        self._backend = backend
        self._open_ones = open_ones
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + listener.client_timeout
        self._task: asyncio.Task[None] | None = None
        self._choked = False
        self._reading = True
        self._stopping = False
        self._leaving = False
        self._met = False
        self._ended: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._connection = Connection(self._listener, self._introduce())
        too_many = len(self._open_ones) >= self._listener.max_connections
        self._open_ones.add(self)
        if too_many:
            self._connection.shut(replies.too_many_connections(self._listener.hostname))
        self._advance()

    def _introduce(self) -> Session:
        transport = self._transport
        return Session(
            id=identity.new_id(),
            peer=peername.read(transport.get_extra_info("peername")),
            listener=self._listener.listen,
            local=str(peername.read(transport.get_extra_info("sockname"))),
            hostname=self._listener.hostname,
            meta=dict(self._listener.meta),
        )

    def data_received(self, chunk: bytes) -> None:
        """The client sent something."""
        if self._leaving:
            return
        if self._connection.reading_content:
            # Content that trickles must not hold its place for ever: time is earned by octets.
            earned = self._deadline + len(chunk) / MIN_RATE
            self._deadline = min(earned, self._clock() + self._listener.client_timeout)
        self._connection.receive(chunk)
        if not self._choked:
            self._advance()

    def eof_received(self) -> bool:
        """The client sends no more, and may still want to read."""
        self._connection.receive_end()
        self._advance()
        return not self._leaving

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone. A message that is with the backend stays there."""
        del error
        self._leaving = True
        self._open_ones.discard(self)
        if (transaction := self._connection.transaction) is not None:
            self._tell(lambda: self._backend.reset(transaction))
        if self._met:
            self._tell(lambda: self._backend.closed(self._connection.session))
        if self._ended is not None:
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
        """End the conversation if the client was silent for too long."""
        if now < self._deadline or self._task is not None:
            return
        if self._leaving:
            self._transport.abort()
            return
        self._connection.shut(replies.idle_too_long(self._listener.hostname))
        self._advance()

    def stop(self) -> asyncio.Future[None]:
        """End the conversation, after the message that is on its way if there is one.

        The future is done when the connection is gone.
        """
        self._stopping = True
        self._ended = asyncio.get_running_loop().create_future()
        self._advance()
        return self._ended

    def abort(self) -> None:
        """End the conversation now."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def _advance(self) -> None:
        """Read on as far as it goes, and say what there is to say."""
        if self._leaving:
            return
        connection = self._connection
        while not self._is_done() and (event := connection.next_event()) is not None:
            self._put(event)
        if self._is_done():
            connection.shut(replies.shutting_down(self._listener.hostname))
        self._flush()
        self._throttle()

    def _is_done(self) -> bool:
        """Whether the listener stops and this client has no message on its way."""
        return self._stopping and not (self._connection.reading_content or self._task)

    def _put(self, event: Event[Any]) -> None:
        """Put an event to the backend."""
        match event:
            case Recipient():
                self._answer(
                    event, lambda: self._backend.recipient(event.transaction, event.forward_path)
                )
            case Mail():
                self._answer(event, lambda: self._backend.mail(event.transaction))
            case Message():
                self._task = asyncio.get_running_loop().create_task(self._finish(event))
            case Hello():
                self._answer(event, lambda: self._backend.hello(event.session))
            case Connected():
                self._met = True
                self._answer(event, lambda: self._backend.connected(event.session))
            case Reset():
                self._tell(lambda: self._backend.reset(event.transaction))
                self._connection.answer(event, None)
            case _:
                raise TypeError(event)

    def _answer(self, event: Event[Reply | None], ask: Callable[[], Reply | None]) -> None:
        try:
            answer = ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not accept anything
            answer = self._reply_to(error)
        self._connection.answer(event, answer)

    async def _finish(self, event: Message) -> None:
        """Hand a message over and say what became of it."""
        answer: Reply | Sequence[Reply]
        try:
            async with asyncio.timeout(self._listener.data_processing_timeout) as limit:
                answer = await self._backend.message(event.transaction, event.content)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not accept anything
            answer = replies.PROCESSING_TIMEOUT if limit.expired() else self._reply_to(error)
        self._task = None
        self._connection.answer(event, answer)
        self._advance()

    def _reply_to(self, error: Exception) -> Reply:
        """The generic reply to an error whose reason goes to the log."""
        unforeseen = None if isinstance(error, KumoHandlersError) else error
        _log.error("session %s: %s", self._connection.session.id, error, exc_info=unforeseen)
        return of_error(error, self._listener.hostname)

    def _tell(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - nobody waits for an answer
            self._reply_to(error)

    def _flush(self) -> None:
        """Send what there is to send; each reply gives the client its time anew."""
        if output := self._connection.take_output():
            self._deadline = self._clock() + self._listener.client_timeout
            self._transport.write(output)
        if self._connection.closing and self._task is None:
            self._leave()

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
        wanted = self._leaving or not (self._choked or self._connection.buffered > MAX_AHEAD)
        if wanted != self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

"""The state of one conversation: what the client is, what it asked for, what to say to it.

The commands read and change it; `protocol.Connection` feeds it. It opens no socket and reads no
clock: identifiers come from the callable it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from kumo_handlers.mail.reply import Ending
from kumo_handlers.policy.listener import Protocol
from kumo_handlers.smtp import peername, replies
from kumo_handlers.smtp.events import Event, Reset
from kumo_handlers.smtp.lines import LineBuffer

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Transaction
    from kumo_handlers.smtp.chunks import Chunks
    from kumo_handlers.smtp.content import Reader
    from kumo_handlers.smtp.turnout import Turnout

# A client that makes as many mistakes does not speak the protocol, or tries things out.
MAX_ERRORS: Final = 20
# Commands that bring no message nearer: a client needs few of them.
MAX_JUNK: Final = 100
# Recipients refused since the last message: a list may have gone stale, a harvester goes on.
MAX_REFUSED: Final = 10_000

Answer = TypeVar("Answer")


class Dialogue:
    """One conversation. Commands say replies, ask events of the driver, and choose who reads on.

    ``offers`` are the extensions that need the driver: ``STARTTLS``, ``AUTH``.
    """

    def __init__(
        self,
        listener: Listener,
        session: Session,
        new_id: Callable[[], str],
        offers: frozenset[str],
        turnout: Turnout,
    ) -> None:
        self.declared = listener
        self._base = listener
        self.listener = listener
        self.is_lmtp = listener.protocol is Protocol.LMTP  # RFC 2033
        self.session = session
        self.new_id = new_id
        self.offers = offers
        self._turnout = turnout
        self.input = LineBuffer()
        self.transaction: Transaction | None = None
        self.chunks: Chunks | None = None
        self.greeted = False
        self.closing = False
        self.waiting = False
        self.may_forward = False
        self.asked: Event[Any] | None = None
        self.messages = 0
        self.failures = 0
        # What reads input that is no command: until its end is found, or for one line
        self.reader: tuple[Reader, Callable[[], None]] | None = None
        self.next_line: Callable[[bytes], None] | None = None
        self._output: list[bytes] = []
        self._errors = 0
        self._junk = 0
        self._refused = 0

    def say(self, reply: Reply) -> None:
        """Send a reply; one that closes (221, 421) ends the conversation."""
        self._output.append(replies.encoded(reply))
        self._turnout.replies[reply.code] += 1
        if not reply.closes:
            return
        if reply.ending is Ending.WITH_421 and reply.code != 421:  # noqa: PLR2004 - RFC 5321, 3.8
            self._output.append(replies.encoded(replies.disconnecting(self.listener.hostname)))
        self.closing = True

    @property
    def has_output(self) -> bool:
        """Whether there is something to be sent."""
        return bool(self._output)

    def take_output(self) -> bytes:
        """What is to be sent now."""
        said = self._output
        if not said:
            return b""
        self._output = []
        return b"".join(said)

    def ask(self, event: Event[Answer]) -> None:
        """Wait for the driver's answer to an event, which then goes on with ``event.then``."""
        self.asked = event
        self.waiting = True

    def read_with(self, reader: Reader, then: Callable[[], None]) -> None:
        """Let ``reader`` have the input up to its end, and go on with ``then``."""
        self.reader = (reader, then)

    def complain(self, reply: Reply) -> None:
        """Refuse a command that the client should not have sent."""
        self.say(reply)
        self._errors += 1
        if self._errors >= MAX_ERRORS and not self.closing:
            self.say(replies.too_many_errors(self.listener.hostname))

    def count_junk(self) -> bool:
        """Count a command that brings no message nearer; False if that was one too many."""
        self._junk += 1
        if self._junk > MAX_JUNK:
            self.say(replies.too_much_junk(self.listener.hostname))
        return not self.closing

    def count_refused(self) -> None:
        """Count a recipient that was refused."""
        self._refused += 1
        if self._refused >= MAX_REFUSED and not self.closing:
            self.say(replies.too_many_errors(self.listener.hostname))

    def forgive(self) -> None:
        """A message was accepted: the counts of mistakes begin anew."""
        self._errors = self._junk = self._refused = 0

    def learn(self, **known: object) -> None:
        """Something about the client became known: a new `Session` value."""
        self.session = msgspec.structs.replace(self.session, **known)

    def recognize(self) -> None:
        """The addresses of the client became known: `peer` and `via` are evaluated anew."""
        session = self.session
        # What was said of the proxy is not true of the client that it speaks for.
        for name in self.listener.meta:
            session.meta.pop(name, None)
        self.listener = self._base.seen_by(session.peer.host, peername.host_of(session.local))
        session.meta.update(self.listener.meta)
        self.learn(hostname=self.listener.hostname)

    def adopt(self, listener: Listener) -> None:
        """The backend has other options for this client: `peer` and `via` are of these now."""
        self._base = listener
        self.recognize()

    def trusts(self, option: str) -> bool:
        """Whether the client, by the address it is known by, may speak for others."""
        session = self.session
        return self._base.trusts(option, session.peer.host, peername.host_of(session.local))

    def forget(self) -> None:
        """The client must introduce itself again, as if it had just connected."""
        self.greeted = False
        self.learn(client_name="", authn_id=None, authz_id=None)

    def end_transaction(self, then: Callable[[None], None]) -> None:
        """Drop the open transaction, if there is one, and go on with ``then``."""
        transaction, self.transaction = self.transaction, None
        self.chunks = None
        if transaction is None:
            then(None)
        else:
            self.ask(Reset(then=then, transaction=transaction))

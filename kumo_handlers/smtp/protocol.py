"""SMTP as a state machine without I/O: fed bytes, it gives events and bytes to send (RFC 5321).

In the manner of h11: the driver calls `Connection.receive` with whatever came in, then asks for
`Connection.next_event` until there is none, answering each with `Connection.answer`, and then
sends `Connection.take_output`. When `Connection.closing` is set it closes after sending.

The rules of this machine:

- Nothing is read beyond an event that was not answered.
- What is read does not depend on how the bytes were cut.
- A line is a command, or it is content, and CR LF . CR LF alone leads from content to commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kumo_handlers.smtp import (
    authentication,
    courtesy,
    encryption,
    forwarding,
    greeting,
    identity,
    replies,
    transfer,
)
from kumo_handlers.smtp.dialogue import Dialogue
from kumo_handlers.smtp.turnout import Turnout

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.content import Reader
    from kumo_handlers.smtp.events import Event

Verb = Callable[[Dialogue, str], None]
Answer = TypeVar("Answer")

VERBS: Final[dict[str, Verb]] = {
    "EHLO": greeting.ehlo,
    "HELO": greeting.helo,
    "MAIL": transfer.mail,
    "RCPT": transfer.recipient,
    "DATA": transfer.data,
    "RSET": transfer.reset,
    "NOOP": courtesy.noop,
    "VRFY": courtesy.verify,
    "HELP": courtesy.ask_for_help,
    "QUIT": courtesy.leave,
    "BDAT": transfer.bdat,
    "STARTTLS": encryption.starttls,
    "AUTH": authentication.auth,
    "XCLIENT": forwarding.xclient,
    "XFORWARD": forwarding.xforward,
    # RFC 5321, 4.2.4: 502 is for what is known and not offered
    **dict.fromkeys(("EXPN", "ETRN", "TURN", "SEND", "SOML", "SAML"), courtesy.refuse),
    **dict.fromkeys(
        ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT"), courtesy.hang_up
    ),
}
# RFC 2033, 4.1: the commands of the one protocol are none of the other.
LMTP_VERBS: Final = VERBS | {
    "LHLO": greeting.lhlo,
    "EHLO": courtesy.refuse_smtp,
    "HELO": courtesy.refuse_smtp,
}
# RFC 4954, 4: what a client answers to a challenge may be longer than any command.
MAX_RESPONSE: Final = 12_288
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")


class Connection(Dialogue):
    """One connection: the client's bytes in, events and replies out.

    Of the dialogue's state the driver reads ``listener``, ``session``, ``transaction`` (which
    would be lost if the connection ended now), ``waiting`` (an event was given that is not
    answered) and ``closing`` (the connection ends once the output is sent, and input is not read
    any more); of its own ``ended``, whether the client said that it sends no more.
    """

    def __init__(
        self,
        listener: Listener,
        session: Session,
        new_id: Callable[[], str] = identity.new_id,
        offers: frozenset[str] = frozenset(),
        turnout: Turnout | None = None,
    ) -> None:
        super().__init__(listener, session, new_id, offers, turnout or Turnout())
        self.ended = False
        self._verbs = LMTP_VERBS if self.is_lmtp else VERBS
        greeting.begin(self)

    def is_reading_content(self) -> bool:
        """Whether a message's content is on its way."""
        return self.greeted and (self.reader is not None or self.chunks is not None)

    @property
    def buffered(self) -> int:
        """How many octets came in and are not read."""
        return len(self.input)

    def receive(self, chunk: bytes) -> None:
        """Take what came in; `next_event` reads it."""
        if not self.closing:
            self.input.feed(chunk)

    def receive_end(self) -> None:
        """The client will send no more."""
        self.ended = True

    def next_event(self) -> Event[Any] | None:
        """Read on to the next event. None: answer the last one first, or wait for more input."""
        if self.asked is None and self.input.is_empty() and not self.ended:
            return None
        while not self.waiting and not self.closing and self._read():
            pass
        if self.closing:
            return None
        event, self.asked = self.asked, None
        if self.ended and event is None and not self.waiting:
            self._end()
        return event

    def answer(self, event: Event[Answer], answer: Answer) -> None:
        """Answer an event."""
        self.waiting = False
        event.then(answer)

    def shut(self, reply: Reply) -> None:
        """Say a last reply and read no more, for a reason of the driver's (time, shutdown)."""
        if not self.closing:
            self.say(reply)
            self.closing = True

    def _end(self) -> None:
        if not self.is_reading_content() and self.input.has_unfinished_line:
            self.say(replies.UNFINISHED_LINE)
        self.closing = True

    def _read(self) -> bool:
        """Read one line, or content as far as it is there. False if more input is needed."""
        if self.reader is not None:
            return self._read_with(*self.reader)
        next_line = self.next_line
        limit = self.listener.line_length_hard_limit if next_line is None else MAX_RESPONSE
        line = self.input.take_line(limit)
        if line is None:
            return False
        self.next_line = None
        if len(line) > limit:
            self.complain(replies.LINE_TOO_LONG)
        elif next_line is None:
            self._read_command(line)
        else:
            next_line(line)
        return True

    def _read_with(self, reader: Reader, then: Callable[[], None]) -> bool:
        """Let a reader have all there is; what it leaves is commands again."""
        rest = reader.feed(self.input.take_rest())
        if rest is None:
            return False
        self.reader = None
        self.input.feed(rest)
        then()
        return True

    def _read_command(self, line: bytes) -> None:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = "\0"  # no command, and none of it is known to be printable
        # Most lines are printable, which is told faster; those that are not may still be in order.
        if not text.isprintable() and _CONTROL.search(line):
            self.complain(replies.CONTROL_CHARACTER)
            return
        name, _, argument = text.partition(" ")
        # Some letters beyond ASCII are ASCII in upper case.
        verb = self._verbs.get(name.upper()) if name.isascii() else None
        if verb is None:
            self.complain(replies.UNRECOGNIZED)
        else:
            verb(self, argument.strip(" "))

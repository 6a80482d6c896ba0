"""A model of the conversation, written once more and simply: the machine must agree with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

if TYPE_CHECKING:
    from tests.smtp.conftest import Line

LIMIT = 3
SIZES = st.sampled_from([0, 1, 50, 200])


class Conversation(RuleBasedStateMachine):
    """A client that says anything in any order, and knows what the reply has to be."""

    make: type[Line]

    def __init__(self) -> None:
        super().__init__()
        self.wire = self.make(
            offers=frozenset(("STARTTLS",)),
            max_message_size=100,
            max_recipients_per_message=LIMIT,
        )
        self.greeted = self.open = self.chunks = self.encrypted = False
        self.recipients = 0
        self.accepted: list[tuple[int, int]] = []
        self.resets = 0

    def expect(self, sent: bytes, *codes: int) -> None:
        """Send, and hear replies with these codes."""
        said = self.wire.send(sent)
        heard = [int(each[:3]) for each in said.splitlines() if each[3:4] == b" "]
        closing = heard[-1:] == [421]
        assert heard == list(codes) or (closing and heard[:-1] == list(codes)[: len(heard) - 1])

    def end(self, *, reset: bool) -> None:
        """The transaction is over."""
        self.resets += reset and self.open
        self.open = self.chunks = False
        self.recipients = 0

    @property
    def alive(self) -> bool:
        """Whether there is still a conversation."""
        return not self.wire.connection.closing

    @precondition(lambda self: self.alive)
    @rule(verb=st.sampled_from([b"EHLO", b"HELO"]), welcome=st.booleans())
    def hello(self, verb: bytes, *, welcome: bool) -> None:
        """A greeting ends whatever was open."""
        self.expect(verb + (b" x\r\n" if welcome else b" unwelcome\r\n"), 250 if welcome else 550)
        self.end(reset=True)
        self.greeted = welcome

    @precondition(lambda self: self.alive)
    @rule(refused=st.booleans(), size=SIZES)
    def mail(self, size: int, *, refused: bool) -> None:
        """One transaction at a time."""
        path = b"refused@b.example" if refused else b"a@b.example"
        sent = b"MAIL FROM:<%s> SIZE=%d\r\n" % (path, size)
        if not self.greeted or self.open:
            self.expect(sent, 503)
        elif size > 100:
            self.expect(sent, 552)
        else:
            self.expect(sent, 550 if refused else 250)
            self.open = not refused

    @precondition(lambda self: self.alive)
    @rule(refused=st.booleans())
    def recipient(self, *, refused: bool) -> None:
        """Recipients follow MAIL, up to a limit."""
        sent = b"RCPT TO:<%s@d.example>\r\n" % (b"refused" if refused else b"c")
        if not self.open or self.chunks:
            self.expect(sent, 503)
        elif self.recipients == LIMIT:
            self.expect(sent, 452)
        else:
            self.expect(sent, 550 if refused else 250)
            self.recipients += not refused

    @precondition(lambda self: self.alive)
    @rule(size=SIZES)
    def data(self, size: int) -> None:
        """Content follows recipients."""
        if not self.open or self.chunks:
            self.expect(b"DATA\r\n", 503 if not self.open or self.recipients else 554)
        elif not self.recipients:
            self.expect(b"DATA\r\n", 554)
        else:
            self.expect(b"DATA\r\n", 354)
            fits = size + 2 <= 100
            self.expect(b"x" * size + b"\r\n.\r\n", 250 if fits else 552)
            if fits:
                self.accepted.append((self.recipients, size + 2))
            self.end(reset=not fits)

    @precondition(lambda self: self.alive)
    @rule(size=SIZES, is_last=st.booleans())
    def chunk(self, size: int, *, is_last: bool) -> None:
        """A chunk is read in any case."""
        sent = b"BDAT %d%s\r\n" % (size, b" LAST" if is_last else b"") + b"x" * size
        if not self.open:
            self.expect(sent, 503)
        elif not self.recipients:
            self.expect(sent, 554)
        else:
            self.gathered = size + (self.gathered if self.chunks else 0)
            self.chunks = True
            fits = self.gathered <= 100
            self.expect(sent, 250 if fits else 552)
            if fits and is_last:
                self.accepted.append((self.recipients, self.gathered))
            if is_last or not fits:
                self.end(reset=not fits)

    @precondition(lambda self: self.alive)
    @rule()
    def rset(self) -> None:
        """Always possible."""
        self.expect(b"RSET\r\n", 250)
        self.end(reset=True)

    @precondition(lambda self: self.alive)
    @rule(sent=st.sampled_from([b"WHAT\r\n", b"MAIL\r\n", b"\x1b\r\n", b"NO\nOP\r\n"]))
    def nonsense(self, sent: bytes) -> None:
        """Refused, and nothing changes."""
        code = (501 if self.greeted and not self.open else 503) if sent == b"MAIL\r\n" else 500
        self.expect(sent, code)

    @precondition(lambda self: self.alive)
    @rule(injected=st.sampled_from([b"", b"EHLO evil\r\nMAIL FROM:<evil@b.example>\r\n"]))
    def starttls(self, injected: bytes) -> None:
        """Everything begins anew, once."""
        if self.encrypted:
            self.expect(b"STARTTLS\r\n", 503)
            return
        self.expect(b"STARTTLS\r\n" + injected, 220)
        self.wire.encrypt()
        self.end(reset=True)
        self.greeted, self.encrypted = False, True

    @precondition(lambda self: not self.alive)
    @rule(sent=st.sampled_from([b"NOOP\r\n", b"EHLO x\r\n"]))
    def after_the_end(self, sent: bytes) -> None:
        """Nothing is said any more."""
        assert self.wire.send(sent) == b""

    @invariant()
    def the_same_happened(self) -> None:
        """The backend saw the messages and the resets that there were, and no others."""
        backend = self.wire.backend
        seen = [
            (len(sent.envelope.forward_paths), len(content)) for sent, content in backend.messages
        ]
        assert seen == self.accepted
        if self.alive:
            assert len(backend.resets) == self.resets
            assert (self.wire.connection.transaction is not None) == self.open


@pytest.mark.parametrize("examples", [60])
def test_any_order_of_commands(examples: int, line: type[Line]) -> None:
    """Hypothesis plays the client."""
    case = type("Case", (Conversation,), {"make": line}).TestCase
    case.settings = settings(max_examples=examples, stateful_step_count=40, deadline=None)
    case().runTest()

"""A proxy speaks for its clients: PROXY headers, XCLIENT and XFORWARD.

All three change the address that relay rules see, so each is taken only from a peer that is
trusted with it (`Listener.trusts`). PROXY and XCLIENT replace the client: the conversation begins
with it. XFORWARD, which an MTA sends before each message it passes on, changes the address and
nothing else, and holds until the next one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from kumo_handlers.mail.session import Peer
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp import attributes, peername, proxy, replies
from kumo_handlers.smtp.events import Connected

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.smtp.dialogue import Dialogue

_XCLIENT: Final = ("ADDR", "PORT", "DESTADDR", "DESTPORT")
_XFORWARD: Final = ("ADDR", "PORT")
EXTENSIONS: Final = (f"XCLIENT {' '.join(_XCLIENT)}", f"XFORWARD {' '.join(_XFORWARD)}")


class ProxyReader:
    """Reads a PROXY header; ``proxied`` is what it says, None if it was none."""

    __slots__ = ("_received", "proxied")

    def __init__(self) -> None:
        self._received = b""
        self.proxied: proxy.Proxied | None = None

    def feed(self, chunk: bytes) -> bytes | None:
        """Read on. None while octets are missing, else what came after the header."""
        self._received += chunk
        try:
            found = proxy.read(self._received)
        except proxy.ProxyError:
            return b""
        if found is None:
            return None
        self.proxied, length = found
        return self._received[length:]


def expect_proxy(talk: Dialogue, then: Callable[[], None]) -> None:
    """Read a PROXY header and go on with ``then``; or hang up on whom it is not taken from."""
    if not talk.trusts("require_proxy_protocol"):
        talk.say(replies.not_a_trusted_proxy(talk.listener.hostname))
        return
    reader = ProxyReader()
    talk.read_with(reader, partial(_proxied, talk, reader, then))


def _proxied(talk: Dialogue, reader: ProxyReader, then: Callable[[], None]) -> None:
    proxied = reader.proxied
    if proxied is None:
        talk.say(replies.no_proxy_header(talk.listener.hostname))
        return
    # A header without addresses is the proxy's own connection, to see whether we are there.
    if proxied.source is not None and proxied.destination is not None:
        talk.learn(peer=proxied.source, local=str(proxied.destination))
        talk.recognize()
    then()


def xclient(talk: Dialogue, argument: str) -> None:
    """XCLIENT: from here on the client is another, who has not been greeted yet."""
    if not _may(talk):
        return
    session = talk.session
    try:
        values = attributes.read(argument, _XCLIENT)
        peer = attributes.peer(values, "ADDR", "PORT", session.peer)
        local = _local(values, session.local)
    except ValueError:
        talk.complain(replies.PARAMETER_SYNTAX)
        return
    talk.forget()
    talk.learn(peer=peer, local=local)
    # What the backend wanted for the proxy is not for the client that it speaks for.
    talk.adopt(talk.declared)
    talk.ask(Connected(then=partial(_greet_again, talk), session=talk.session))


def _local(values: dict[str, str], otherwise: str) -> str:
    if "DESTADDR" not in values and "DESTPORT" not in values:
        return otherwise
    port = otherwise.rpartition(":")[2]
    known = Peer(peername.host_of(otherwise), int(port) if port.isdecimal() else 0)
    return str(attributes.peer(values, "DESTADDR", "DESTPORT", known))


def _greet_again(talk: Dialogue, answer: Reply | Listener | None) -> None:
    """The reply to XCLIENT is a greeting to the client it named."""
    if isinstance(answer, Listener):
        talk.adopt(answer)
        answer = None
    talk.say(answer or replies.greeting(talk.listener.hostname, talk.listener.banner))
    talk.closing = talk.closing or answer is not None


def xforward(talk: Dialogue, argument: str) -> None:
    """XFORWARD: the next messages come from another address."""
    if not _may(talk):
        return
    try:
        values = attributes.read(argument, _XFORWARD)
        peer = attributes.peer(values, "ADDR", "PORT", talk.session.peer)
    except ValueError:
        talk.complain(replies.PARAMETER_SYNTAX)
        return
    talk.learn(peer=peer)
    talk.recognize()
    talk.say(replies.OK)


def _may(talk: Dialogue) -> bool:
    """Whether the client may speak for another now; if not it was told so."""
    if not talk.may_forward:
        talk.complain(replies.NOT_A_TRUSTED_PROXY)
    elif talk.transaction is not None:
        talk.complain(replies.NOT_NOW)
    elif talk.count_junk():
        return True
    return False

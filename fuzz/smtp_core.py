"""Invariant: any input, however it is cut, has the same well-formed replies and true messages.

A true message is one that ended with CR LF . CR LF or with the length of its last chunk.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import engine

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import LineEndings, Listener, Protocol
from kumo_handlers.policy.options import Place
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.credentials import Identities
from kumo_handlers.smtp.events import Authenticate, Event, Message, Recipient, StartTLS
from kumo_handlers.smtp.protocol import Connection

if TYPE_CHECKING:
    from collections.abc import Iterable

OFFERS = frozenset(("STARTTLS", "AUTH"))
LISTENERS = [
    Listener.read(
        {
            "hostname": "mx.test",
            "invalid_line_endings": endings,
            "protocol": protocol,
            "allow_xclient": trusted,
            "require_proxy_protocol": proxied,
            "max_message_size": 400,
            "line_length_hard_limit": 120,
            "max_recipients_per_message": 3,
        },
        Place(),
    )
    for endings, protocol, (trusted, proxied) in itertools.product(
        LineEndings, Protocol, ((False, False), (True, False), (True, True))
    )
]
WELL_FORMED = re.compile(rb"(?:(?:[2-5]\d\d-[\x20-\x7e]*\r\n)*[2-5]\d\d [\x20-\x7e]*\r\n)*")
BEGIN = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
SEEDS = [
    bytes([number]) + seed
    for number, seed in itertools.product(
        range(len(LISTENERS)),
        (
            BEGIN + b"DATA\r\nSubject: x\r\n\r\n..y\r\n.\r\nQUIT\r\n",
            BEGIN + b"BDAT 6\r\n.\r\nab\rBDAT 2 LAST\r\n\nc" + BEGIN,
            b"EHLO x\r\nAUTH PLAIN AGEAc2VjcmV0\r\n" + BEGIN,
            b"EHLO x\r\nAUTH LOGIN\r\nYQ==\r\nc2VjcmV0\r\nSTARTTLS\r\n" + BEGIN,
            b"XCLIENT ADDR=192.0.2.9 PORT=7\r\n" + BEGIN.replace(b"EHLO", b"LHLO"),
            b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 25\r\n" + BEGIN + b"DATA\r\nx\r\n.\r\n",
        ),
    )
]
WORDS = [
    *(b"\r\n", b"\r", b"\n", b".", b"\0", b"\r\n.\r\n", b"\n.\n", b"\r.\r", b" ", b"<", b">", b'"'),
    *(b"EHLO x\r\n", b"LHLO x\r\n", b"HELO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<a@b>\r\n"),
    *(b"DATA\r\n", b"BDAT 3\r\n", b"BDAT 0 LAST\r\n", b"RSET\r\n", b"STARTTLS\r\n", b"QUIT\r\n"),
    *(b"AUTH PLAIN", b"XFORWARD ADDR=::1\r\n", b" SIZE=9", b" SMTPUTF8", b"\xc3\xa9", b"x" * 130),
]


def converse(listener: Listener, pieces: Iterable[bytes]) -> tuple[bytes, list[bytes]]:
    """All that was said, and the messages that were taken."""
    session = Session("s", Peer("127.0.0.1", 1), "127.0.0.1:25", "127.0.0.1:25", "mx.test", meta={})
    connection = Connection(listener, session, lambda: "t", OFFERS)
    said, messages = _drive(connection), list[bytes]()
    for piece in pieces:
        connection.receive(piece)
        said += _drive(connection, messages)
    return said, messages


def _drive(connection: Connection, messages: list[bytes] | None = None) -> bytes:
    while (event := connection.next_event()) is not None:
        if isinstance(event, Message) and messages is not None:
            messages.append(event.content)
        connection.answer(event, _answer(event))
    return connection.take_output()


def _answer(event: Event[Any]) -> object:
    match event:
        case Message():
            return replies.OK
        case StartTLS():
            return {"tls_cipher": "NONE"}
        case Authenticate():
            return Identities(event.credentials.authn_id, event.credentials.authn_id)
        case Recipient() if event.forward_path.local_part == "refused":
            return replies.NOT_NOW
    return None


def target(octets: bytes) -> None:
    """One conversation, whole and cut; the first octet chooses the listener."""
    listener = LISTENERS[octets[0] % len(LISTENERS)] if octets else LISTENERS[0]
    sent = octets[1:]
    said, messages = converse(listener, [sent])
    engine.require(WELL_FORMED.fullmatch(said))
    ends = sent.count(b"\r\n.\r\n") + len(re.findall(rb"(?i)BDAT +[0-9]+ +LAST", sent))
    engine.require(len(messages) <= ends)
    if listener.invalid_line_endings is not LineEndings.ALLOW:
        engine.require(not any(re.search(rb"\r(?!\n)|(?<!\r)\n", message) for message in messages))
    if b"STARTTLS" not in sent.upper():
        # What comes behind STARTTLS is dropped with the packet it came in, as it has to be.
        middle = len(sent) // 2
        engine.require(converse(listener, [sent[:middle], sent[middle:]]) == (said, messages))
        octet_by_octet = (sent[at : at + 1] for at in range(len(sent)))
        engine.require(converse(listener, octet_by_octet) == (said, messages))


if __name__ == "__main__":
    engine.main(target, SEEDS, WORDS)

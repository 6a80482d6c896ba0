"""Invariant: AUTH asks about well-formed credentials only, where it may, and tells nobody of them.

It asks at most once a command, and never before TLS where that is required.
"""

from __future__ import annotations

from base64 import b64encode

import engine

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.credentials import Credentials
from kumo_handlers.smtp.events import Authenticate
from kumo_handlers.smtp.protocol import Connection

OPEN = Listener(hostname="mx.test", allow_auth_without_tls=True)
STRICT = Listener(hostname="mx.test")
SEEDS = [
    b"AUTH PLAIN " + b64encode(b"\0user\0password") + b"\r\n",
    b"AUTH PLAIN\r\n" + b64encode(b"other\0user\0password") + b"\r\n",
    b"AUTH LOGIN\r\n" + b64encode(b"user") + b"\r\n" + b64encode(b"password") + b"\r\n",
    b"AUTH LOGIN " + b64encode(b"user") + b"\r\n*\r\n",
    b"AUTH PLAIN =\r\n",
]
WORDS = [
    *(
        b"\r\n",
        b"*\r\n",
        b"=",
        b"==",
        b"AUTH PLAIN ",
        b"AUTH LOGIN\r\n",
        b"EHLO x\r\n",
        b"\0",
        b" ",
    ),
    *(b64encode(text) for text in (b"\0", b"\0\0", b"\0a\0", b"a\nb\0c\0d", b"\xff", b"x" * 9000)),
]


def ask(listener: Listener, octets: bytes) -> tuple[list[Credentials], bytes]:
    """What the authenticator was asked, and what was said."""
    session = Session("s", Peer("192.0.2.1", 1), hostname="mx.test", meta={})
    connection = Connection(listener, session, lambda: "t", frozenset(("AUTH",)))
    connection.receive(b"EHLO x\r\n" + octets)
    asked = []
    while (event := connection.next_event()) is not None:
        if isinstance(event, Authenticate):
            asked.append(event.credentials)
            connection.answer(event, replies.BAD_CREDENTIALS)
        else:
            connection.answer(event, None)
    return asked, connection.take_output()


def target(octets: bytes) -> None:
    """One conversation with a listener that lets AUTH be, and with one that does not."""
    asked, said = ask(OPEN, octets)
    engine.require(len(asked) <= octets.upper().count(b"AUTH"))
    for credentials in asked:
        engine.require(credentials.authn_id.isprintable())
        engine.require(credentials.authz_id.isprintable())
        engine.require(credentials.authn_id)
        engine.require("\0" not in credentials.password)
        shown = Credentials(credentials.mechanism, "", credentials.authn_id, "")
        engine.require(repr(credentials) == repr(shown))
        if len(credentials.password) > 8:  # noqa: PLR2004 - shorter ones are words of replies
            engine.require(credentials.password.encode() not in said)
    engine.require(ask(STRICT, octets)[0] == [])


if __name__ == "__main__":
    engine.main(target, SEEDS, WORDS)

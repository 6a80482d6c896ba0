"""AUTH PLAIN and AUTH LOGIN (RFC 4954, RFC 4616, and the draft that LOGIN never grew beyond).

Passwords cross this module and rest nowhere: not in the session, not in a log, not in a repr.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import partial
from typing import TYPE_CHECKING, Final

from kumo_handlers.mail.reply import Reply
from kumo_handlers.policy.listener import LOOPBACK
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.credentials import Credentials, Identities
from kumo_handlers.smtp.events import Authenticate

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.smtp.dialogue import Dialogue

MECHANISMS: Final = "PLAIN LOGIN"
# Wrong passwords in one connection
MAX_FAILURES: Final = 3
_USERNAME: Final = Reply(334, "VXNlcm5hbWU6")
_PASSWORD: Final = Reply(334, "UGFzc3dvcmQ6")
_GO_ON: Final = Reply(334, "")


def is_offered(talk: Dialogue) -> bool:
    """Whether the client may authenticate: never where others on the way can read along."""
    session = talk.session
    return (
        "AUTH" in talk.offers
        and session.authn_id is None
        and (
            session.tls is not None
            or talk.listener.allow_auth_without_tls
            or session.peer.host in LOOPBACK
        )
    )


def auth(talk: Dialogue, argument: str) -> None:
    """AUTH mechanism [initial-response]."""
    mechanism, _, initial = argument.partition(" ")
    mechanism = mechanism.upper()
    if "AUTH" not in talk.offers:
        talk.complain(replies.NOT_IMPLEMENTED)
    elif not talk.greeted or talk.session.protocol == "SMTP":
        # RFC 4954, 4: AUTH is for who learnt by EHLO that it is there
        talk.complain(replies.SAY_HELLO_FIRST)
    elif talk.transaction is not None or talk.session.authn_id is not None:
        talk.complain(replies.NOT_NOW)
    elif not is_offered(talk):
        talk.complain(replies.TLS_REQUIRED)
    elif mechanism == "PLAIN":
        _begin(talk, initial, _GO_ON, partial(_read_plain, talk))
    elif mechanism == "LOGIN":
        _begin(talk, initial, _USERNAME, partial(_read_name, talk))
    else:
        talk.complain(replies.UNKNOWN_MECHANISM)


def _begin(talk: Dialogue, initial: str, challenge: Reply, then: Callable[[bytes], None]) -> None:
    if initial:
        # RFC 4954, 4: "=" is the empty response, which would otherwise be none at all
        _decode(talk, then, b"" if initial == "=" else initial.encode())
    else:
        _challenge(talk, challenge, then)


def _challenge(talk: Dialogue, challenge: Reply, then: Callable[[bytes], None]) -> None:
    talk.say(challenge)
    talk.next_line = partial(_decode, talk, then)


def _decode(talk: Dialogue, then: Callable[[bytes], None], line: bytes) -> None:
    """Hand on what a client's line means, unless it gave up or it means nothing."""
    if line == b"*":
        talk.complain(replies.AUTH_CANCELLED)
        return
    try:
        response = b64decode(line, validate=True)
    except binascii.Error:
        talk.complain(replies.BAD_BASE64)
        return
    then(response)


def _read_plain(talk: Dialogue, response: bytes) -> None:
    """``authzid NUL authcid NUL passwd`` (RFC 4616, 2)."""
    parts = response.split(b"\0")
    if len(parts) != 3:  # noqa: PLR2004 - the three of the RFC
        talk.complain(replies.BAD_CREDENTIALS_SYNTAX)
    else:
        _check(talk, "PLAIN", *parts)


def _read_name(talk: Dialogue, name: bytes) -> None:
    _challenge(talk, _PASSWORD, lambda password: _check(talk, "LOGIN", b"", name, password))


def _check(talk: Dialogue, mechanism: str, authz: bytes, authn: bytes, password: bytes) -> None:
    try:
        given = Credentials(mechanism, authz.decode(), authn.decode(), password.decode())
    except UnicodeDecodeError:
        talk.complain(replies.BAD_CREDENTIALS_SYNTAX)
        return
    # What stands in a name stands later in logs, records and header fields.
    if not given.is_well_formed:
        talk.complain(replies.BAD_CREDENTIALS_SYNTAX)
        return
    then = partial(_checked, talk)
    talk.ask(Authenticate(then=then, session=talk.session, credentials=given))


def _checked(talk: Dialogue, answer: Identities | Reply) -> None:
    if isinstance(answer, Identities):
        talk.learn(
            authn_id=answer.authn_id,
            authz_id=answer.authz_id,
            protocol=f"{talk.session.protocol}A",
        )
        talk.say(replies.AUTHENTICATED)
        return
    talk.say(answer)
    talk.failures += 1
    if talk.failures >= MAX_FAILURES and not talk.closing:
        talk.say(replies.too_many_errors(talk.listener.hostname))

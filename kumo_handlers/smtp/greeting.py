"""The beginning: the greeting, EHLO, HELO and LHLO (RFC 5321, 4.1.1.1; RFC 2033, 4.1)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from kumo_handlers.mail.reply import Reply
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp import authentication, forwarding, replies
from kumo_handlers.smtp.events import Connected, Hello

if TYPE_CHECKING:
    from kumo_handlers.smtp.dialogue import Dialogue

# Any printable word is a name: clients call themselves by what they find, underscores included.
_NAME: Final = re.compile(r"[\x21-\x7e]{1,255}")


def begin(talk: Dialogue) -> None:
    """Open the conversation: with a PROXY header where that is asked for, else with a greeting."""
    talk.recognize()
    if talk.listener.require_proxy_protocol:
        forwarding.expect_proxy(talk, partial(_meet, talk))
    else:
        _meet(talk)


def _meet(talk: Dialogue) -> None:
    """The addresses of the client are known: greet it, unless the backend does not want it."""
    talk.may_forward = talk.trusts("allow_xclient")

    talk.ask(Connected(then=partial(_greet, talk), session=talk.session))


def _greet(talk: Dialogue, answer: Reply | Listener | None) -> None:
    if isinstance(answer, Listener):
        talk.adopt(answer)
        talk.may_forward = talk.trusts("allow_xclient")
        answer = None
    if answer is None:
        talk.say(replies.greeting(talk.listener.hostname, talk.listener.banner))
    else:
        talk.say(answer)
        talk.closing = True


def ehlo(talk: Dialogue, argument: str) -> None:
    """EHLO: a list of extensions in return."""
    _hello(talk, argument, "ESMTP")


def helo(talk: Dialogue, argument: str) -> None:
    """HELO: no extensions."""
    _hello(talk, argument, "SMTP")


def lhlo(talk: Dialogue, argument: str) -> None:
    """LHLO: as EHLO, for LMTP."""
    _hello(talk, argument, "LMTP")


def _hello(talk: Dialogue, name: str, protocol: str) -> None:
    if not _NAME.fullmatch(name):
        talk.complain(replies.NAME_REQUIRED)
    elif talk.transaction is not None or talk.count_junk():
        # RFC 5321, 4.1.4: a second EHLO clears what the first one's transaction had gathered.
        talk.end_transaction(partial(_introduce, talk, name, protocol))


def _introduce(talk: Dialogue, name: str, protocol: str, _: None) -> None:
    talk.greeted = False
    session = talk.session
    # RFC 3848: how mail came in, as Received fields and records say it
    if protocol != "SMTP":
        protocol += "S" * (session.tls is not None) + "A" * (session.authn_id is not None)
    talk.learn(client_name=name, protocol=protocol)
    talk.ask(Hello(then=partial(_welcome, talk), session=talk.session))


def _welcome(talk: Dialogue, answer: Reply | None) -> None:
    if answer is not None and not answer.accepts:
        talk.say(answer)
        return
    talk.greeted = True
    text = talk.listener.hostname if answer is None else answer.text
    if talk.session.protocol != "SMTP":
        text = "\n".join((text, *extensions(talk)))
    talk.say(Reply(250, text))


def extensions(talk: Dialogue) -> tuple[str, ...]:
    """What is offered to this client now."""
    return (
        "PIPELINING",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        f"SIZE {talk.listener.max_message_size}",
        # RFC 3207, 4.2: not once it is in use
        *(("STARTTLS",) if "STARTTLS" in talk.offers and talk.session.tls is None else ()),
        *((f"AUTH {authentication.MECHANISMS}",) if authentication.is_offered(talk) else ()),
        *(forwarding.EXTENSIONS if talk.may_forward else ()),
    )

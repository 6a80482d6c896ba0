"""EHLO and HELO: who the client says it is, and what is offered to it (RFC 5321, 4.1.1.1)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from kumo_handlers.mail.reply import Reply
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.events import Connected, Hello

if TYPE_CHECKING:
    from kumo_handlers.smtp.dialogue import Dialogue

# Any printable word is a name: clients call themselves by what they find, underscores included.
_NAME: Final = re.compile(r"[\x21-\x7e]{1,255}")


def greet(talk: Dialogue) -> None:
    """Open the conversation, unless the backend does not want it."""
    talk.ask(Connected(then=partial(_greet, talk), session=talk.session))


def _greet(talk: Dialogue, answer: Reply | None) -> None:
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


def _hello(talk: Dialogue, name: str, protocol: str) -> None:
    if not _NAME.fullmatch(name):
        talk.complain(replies.NAME_REQUIRED)
    elif talk.transaction is not None or talk.count_junk():
        # RFC 5321, 4.1.4: a second EHLO clears what the first one's transaction had gathered.
        talk.end_transaction(partial(_introduce, talk, name, protocol))


def _introduce(talk: Dialogue, name: str, protocol: str, _: None) -> None:
    talk.greeted = False
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
        f"SIZE {talk.listener.max_message_size}",
    )

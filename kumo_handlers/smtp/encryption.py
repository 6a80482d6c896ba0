"""STARTTLS (RFC 3207): what was said before it counts for nothing after it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kumo_handlers.smtp import replies
from kumo_handlers.smtp.events import StartTLS

if TYPE_CHECKING:
    from kumo_handlers.smtp.dialogue import Dialogue


def starttls(talk: Dialogue, argument: str) -> None:
    """STARTTLS: the driver encrypts the connection after our reply."""
    if "STARTTLS" not in talk.offers:
        talk.complain(replies.NOT_IMPLEMENTED)
    elif argument:
        talk.complain(replies.NO_ARGUMENT_ALLOWED)
    elif talk.session.tls is not None:
        talk.complain(replies.TLS_ACTIVE)
    else:
        talk.end_transaction(partial(_start, talk))


def _start(talk: Dialogue, _: None) -> None:
    talk.say(replies.READY_FOR_TLS)
    talk.ask(StartTLS(then=partial(_started, talk), session=talk.session))


def _started(talk: Dialogue, tls: dict[str, Any]) -> None:
    # What came in the clear behind STARTTLS may be an attacker's, and must not be taken for what
    # the client says inside the tunnel (CVE-2011-0411); nor may its introduction be (RFC 3207,
    # 4.2).
    talk.input.clear()
    talk.forget()
    talk.learn(tls=tls)

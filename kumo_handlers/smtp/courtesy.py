"""The commands that move no mail: NOOP, VRFY, HELP, QUIT, and those that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.smtp import replies

if TYPE_CHECKING:
    from kumo_handlers.smtp.dialogue import Dialogue


def noop(talk: Dialogue, _argument: str) -> None:
    """NOOP, with or without an argument (RFC 5321, 4.1.1.9)."""
    if talk.count_junk():
        talk.say(replies.OK)


def verify(talk: Dialogue, argument: str) -> None:
    """VRFY: neither yes nor no, which would tell a harvester (RFC 5321, 7.3)."""
    if not argument:
        talk.complain(replies.PARAMETER_SYNTAX)
    elif talk.count_junk():
        talk.say(replies.CANNOT_VERIFY)


def ask_for_help(talk: Dialogue, _argument: str) -> None:
    """HELP."""
    if talk.count_junk():
        talk.say(replies.HELP)


def leave(talk: Dialogue, argument: str) -> None:
    """QUIT: the client hung up in good order; an open transaction is dropped by the driver."""
    if argument:
        talk.complain(replies.NO_ARGUMENT_ALLOWED)
    else:
        talk.say(replies.goodbye(talk.listener.hostname))


def refuse(talk: Dialogue, _argument: str) -> None:
    """A command of the standard that is not offered."""
    talk.complain(replies.NOT_IMPLEMENTED)


def refuse_smtp(talk: Dialogue, _argument: str) -> None:
    """EHLO or HELO where LMTP is spoken."""
    talk.complain(replies.LMTP_ONLY)


def hang_up(talk: Dialogue, _argument: str) -> None:
    """A request of another protocol, HTTP above all: a browser was made to send it.

    What follows is chosen by an attacker who hopes that one of its lines is a command to us.
    """
    talk.say(replies.not_smtp(talk.listener.hostname))

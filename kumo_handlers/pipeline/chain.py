"""One mail through Salmon's handlers, and what came of it.

Salmon's `Router.deliver` calls the handlers in order and swallows what they raise. Here the same
handlers are called in the same order, and what one raises ends the mail: an `SMTPError` is its
reply, anything else is 451. A handler of this package does not block and is called where the
event loop runs; from the first handler of the app's own on, the rest of the chain runs in a
worker thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import TYPE_CHECKING, Any

import msgspec
from salmon.routing import Router, salmon_setting
from salmon.server import SMTPError

from kumo_handlers.mail.reply import EnhancedStatusCode, Reply, of_error, reply
from kumo_handlers.pipeline.routes import deciding_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from kumo_handlers.pipeline.received_mail import ReceivedMail
    from kumo_handlers.policy.base import Policy

_log = logging.getLogger(__name__)
_OURS = "kumo_handlers.handlers."
OK = reply(250, "2.0.0", "OK")

Call = tuple["Callable[..., Any]", dict[str, str]]


class Handled(msgspec.Struct, frozen=True):
    """What came of a mail: the reply, and the handler that refused it or failed, if one did."""

    reply: Reply
    failed_handler: str | None = None
    is_crash: bool = False


async def run(mail: ReceivedMail, policy: Policy, threads: Executor) -> Handled:
    """Give ``mail`` to each handler its recipient has. Never raises."""
    with deciding_with(policy):
        calls = _calls(mail)
        handled = _advance(mail, calls, until=_is_foreign)
        if isinstance(handled, Handled):
            return handled
        context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, context.run, _finish, mail, calls, handled)


def _calls(mail: ReceivedMail) -> Iterator[Call]:
    """Handler and captures in Salmon's order, each looked for when it is asked for."""
    if Router.RELOAD:
        # Reloading empties the Router, which a worker thread must not see: so all at once.
        Router.reload()
        yield from list(Router._collect_matches(mail))  # noqa: SLF001 - the only way to its order
    else:
        yield from Router._collect_matches(mail)  # noqa: SLF001 - the only way to its order


def _is_foreign(function: Callable[..., Any]) -> bool:
    return not function.__module__.startswith(_OURS)


def _finish(mail: ReceivedMail, calls: Iterator[Call], first: Call) -> Handled:
    """The rest of the chain, from the first handler of the app's own on."""
    handled = _call(mail, *first)
    if handled is not None:
        return handled
    rest = _advance(mail, calls, until=lambda _: False)
    assert isinstance(rest, Handled)  # noqa: S101 - nothing stops it before the end
    return rest


def _advance(
    mail: ReceivedMail, calls: Iterator[Call], until: Callable[[Callable[..., Any]], bool]
) -> Handled | Call:
    """Call handlers until the chain ends, or up to the first that ``until`` holds for."""
    try:
        for function, captures in calls:
            if until(function):
                return function, captures
            handled = _call(mail, function, captures)
            if handled is not None:
                return handled
    except Exception as error:  # noqa: BLE001 - whatever fails, the mail is not accepted
        _log.exception("routing %s to %s failed", mail.arrival.id, mail.To)
        return Handled(of_error(error, mail.arrival.session.hostname), "routing", is_crash=True)
    return Handled(OK)


def _call(
    mail: ReceivedMail, function: Callable[..., Any], captures: dict[str, str]
) -> Handled | None:
    """Call one handler. None lets the chain go on."""
    name = f"{function.__module__}.{function.__name__}"
    try:
        if salmon_setting(function, "nolocking"):
            function(mail, **captures)
        else:
            with Router.call_lock:
                function(mail, **captures)
    except SMTPError as error:
        return Handled(reply_of(error), None if error.code < 400 else name)  # noqa: PLR2004 - RFC 5321, 4.2.1
    except Exception as error:  # noqa: BLE001 - as above: a handler's failure is the mail's 451
        _log.exception("handler %s failed on %s for %s", name, mail.arrival.id, mail.To)
        Router.set_state(function.__module__, mail, "ERROR")
        return Handled(of_error(error, mail.arrival.session.hostname), name, is_crash=True)
    return None


def reply_of(error: SMTPError) -> Reply:
    """The reply that a handler's `SMTPError` asks for, its enhanced code told from its text."""
    text = str(error.message)
    status = EnhancedStatusCode.find(text)
    if status is not None:
        _, _, text = text.lstrip().partition(" ")
    return Reply(error.code, text, status)

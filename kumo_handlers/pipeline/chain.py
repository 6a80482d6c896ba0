"""One mail through Salmon's handlers, and what came of it.

Salmon's `Router.deliver` calls the handlers in order and swallows what they raise. Here the same
handlers are called in the same order, and what one raises ends the mail: an `SMTPError` is its
reply, anything else is 451. A handler of this package does not block and is called where the
event loop runs; from the first handler of the app's own on, the rest of the chain runs in a
worker thread.
"""

from __future__ import annotations

import contextvars
import itertools
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from salmon.routing import Router, salmon_setting
from salmon.server import SMTPError

from kumo_handlers.mail.reply import EnhancedStatusCode, Reply, of_error
from kumo_handlers.pipeline.replies import ACCEPTED
from kumo_handlers.pipeline.routes import deciding_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.pipeline.received_mail import ReceivedMail
    from kumo_handlers.policy.base import Policy

_log = logging.getLogger(__name__)
_OURS = "kumo_handlers.handlers."

# RFC 5321, 4.2.1: what can be said after DATA
_SAYABLE = (*range(200, 300), *range(400, 600))

Handler = Callable[..., Any]
Call = tuple[Handler, dict[str, str]]


class Handled(msgspec.Struct, frozen=True):
    """What came of a mail: the reply, and the handler that refused it or failed, if one did."""

    reply: Reply
    failed_handler: str | None = None
    is_crash: bool = False


def begin(mail: ReceivedMail, policy: Policy) -> Handled | Rest:
    """Give ``mail`` to the handlers its recipient has; what is left is for a thread.

    Neither this nor the rest raises.
    """
    with deciding_with(policy, mail.disposition.found):
        chain = _Chain(mail)
        return chain.advance(on_event_loop=True) or Rest(chain)


class Rest:
    """The handlers from the first of the app's own on; called once, where it may block."""

    __slots__ = ("_chain", "_context")

    def __init__(self, chain: _Chain) -> None:
        self._chain = chain
        self._context = contextvars.copy_context()

    def __call__(self) -> Handled:
        """Call them."""
        handled = self._context.run(self._chain.advance)
        assert handled is not None  # noqa: S101 - nothing stops it before the end
        return handled


class _Chain:
    """The handlers of one mail, in Salmon's order, each looked for when its turn comes."""

    def __init__(self, mail: ReceivedMail) -> None:
        self._mail = mail
        self._calls = _calls(mail)
        self._state_found = False

    def advance(self, *, on_event_loop: bool = False) -> Handled | None:
        """Call handlers to the end; on the event loop, up to the first of the app's own: None."""
        try:
            for function, captures in self._calls:
                traits = _traits(function)
                if on_event_loop and traits.is_foreign:
                    self._calls = itertools.chain([(function, captures)], self._calls)
                    return None
                if traits.is_stateless or self._is_in_state(function):
                    handled = self._call(function, captures, traits)
                    if handled is not None:
                        return handled
            return self._end()
        except Exception as error:  # noqa: BLE001 - whatever fails, the mail is not accepted
            arrival = self._mail.arrival
            _log.exception("routing %s to %s failed", arrival.id, self._mail.To)
            return Handled(of_error(error, arrival.session.hostname), "routing", is_crash=True)

    def _end(self) -> Handled:
        """All handlers were called. Mail that none of them took is not accepted."""
        if self._mail.outgoing or self._mail.is_discarded:
            return _RELAYED
        raise LookupError(f"no handler took the mail: {self._mail.outcome.because}")

    def _is_in_state(self, function: Handler) -> bool:
        """Of those that are not stateless the first that is in its state is called."""
        if self._state_found or not Router.in_state(function, self._mail):
            return False
        self._state_found = True
        return True

    def _call(self, function: Handler, captures: dict[str, str], traits: _Traits) -> Handled | None:
        """Call one handler. None lets the chain go on."""
        mail, name = self._mail, traits.name
        mail.handler = name
        try:
            if traits.is_nolocking:
                answer = _answer(function, mail, captures)
            else:
                with Router.call_lock:
                    answer = _answer(function, mail, captures)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above: it is the mail's 451
            _log.exception("handler %s failed on %s for %s", name, mail.arrival.id, mail.To)
            Router.set_state(function.__module__, mail, "ERROR")
            return Handled(of_error(error, mail.arrival.session.hostname), name, is_crash=True)
        if answer is None:
            return None
        return Handled(answer, None if answer.accepts else name)


def _answer(function: Handler, mail: ReceivedMail, captures: dict[str, str]) -> Reply | None:
    """Call ``function``; the reply it raised, if it did."""
    try:
        function(mail, **captures)
    except SMTPError as error:
        return reply_of(error)
    return None


def _calls(mail: ReceivedMail) -> Iterator[Call]:
    """Each function whose pattern matches, and its captures."""
    if Router.RELOAD:
        # Reloading empties the Router, which a worker thread must not see: so all at once.
        _reload()
        matches = iter(list(Router.match(mail.To)))
    else:
        matches = Router.match(mail.To)
    for functions, captures in matches:
        for function in functions:
            yield function, captures


def _reload() -> None:
    """As `Router.reload`, but a handler that cannot be imported is an error, and no mail passes.

    QUIRK: Salmon logs the ImportError and goes on without the handler's routes.
    """
    before, Router.LOG_EXCEPTIONS = Router.LOG_EXCEPTIONS, False
    try:
        Router.reload()
    finally:
        Router.LOG_EXCEPTIONS = before


_RELAYED = Handled(ACCEPTED)


class _Traits(msgspec.Struct, frozen=True):
    """A handler's name, whether it is the app's own, and what Salmon's decorators say of it."""

    name: str
    is_foreign: bool
    is_stateless: bool
    is_nolocking: bool


@lru_cache(maxsize=256)
def _traits(function: Handler) -> _Traits:
    """All of this was settled when the handler's module was imported."""
    return _Traits(
        f"{function.__module__}.{function.__name__}",
        is_foreign=not function.__module__.startswith(_OURS),
        is_stateless=bool(salmon_setting(function, "stateless")),
        is_nolocking=bool(salmon_setting(function, "nolocking")),
    )


def reply_of(error: SMTPError) -> Reply:
    """The reply that a handler's `SMTPError` asks for, its enhanced code told from its text."""
    if error.code not in _SAYABLE:
        raise ValueError(f"no SMTP reply to a message has the code {error.code}") from error
    text = str(error.message)
    status = EnhancedStatusCode.find(text)
    if status is not None:
        _, _, text = text.lstrip().partition(" ")
    return Reply(error.code, text, status)

"""Recipient patterns that come from the policy, in Salmon's Router.

Salmon asks every registered pattern in turn, so a pattern for each domain would cost more with
each domain. Here a handler has one pattern, whatever the number of domains: an object with a
regular expression's ``match``, which looks the domain up in the policy. Its key is a valid
regular expression that a person can read, since Salmon may compile it: after a reload
(``Router.RELOAD``), for a ``@route_like`` that comes before the route it copies. The compiled
key lets more through than the route would, and what a handler does is decided by the mail's
outcome, never by its route.
"""

from __future__ import annotations

import contextvars
import logging
import socket
from functools import lru_cache, wraps
from itertools import islice
from typing import TYPE_CHECKING, Any

from salmon.routing import Router, attach_salmon_settings
from salmon.server import SMTPError

from kumo_handlers.errors import AddressError
from kumo_handlers.mail import address
from kumo_handlers.mail.reply import of_error
from kumo_handlers.pipeline import installation, staging, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from salmon.mail import MailRequest

    from kumo_handlers.pipeline.received_mail import ReceivedMail
    from kumo_handlers.policy.base import Found, Policy
    from kumo_handlers.policy.listener_domain import ListenerDomain

    Handler = Callable[..., Any]

_log = logging.getLogger(__name__)
_ANY_ADDRESS = "^(?P<address>.*?)(?:@(?P<host>[^@]*))?$"
_SHOWN_DOMAINS = 6


class Matched:
    """What was found for an address, in the form of a regular expression's match.

    ``recipient`` is the address as it was asked about; ``options`` those of its domain's entries
    on all listeners, None until a route wants them.
    """

    __slots__ = ("_captures", "host", "options", "recipient")

    def __init__(self, recipient: str) -> None:
        local_part, at, host = recipient.rpartition("@")
        if not at:
            local_part, host = recipient, ""
        self._captures = {"address": local_part, "host": host}
        self.recipient = recipient
        self.host = host
        self.options: Iterable[ListenerDomain] | None = None

    def groupdict(self) -> dict[str, str]:
        """The captures a handler is called with: ``address`` (the local part) and ``host``."""
        return self._captures


# Before the first question: known by its identity, it is no recipient that anybody asks about.
_NOTHING = Matched("nobody yet")


class _LookUp:
    """A policy, and what it last said: Salmon asks each route about the same recipient.

    The last answer is kept in one piece, and known by the identity of what was asked: threads
    that share a look-up can at worst ask twice. ``own`` is the entry that the mail at hand was
    accepted by, if there was one: a script may have said it of this connection alone. Without
    ``policy`` it is the installation's of the moment.
    """

    __slots__ = ("_own", "_policy", "_token", "matched")

    def __init__(self, policy: Policy | None = None, own: Found | None = None) -> None:
        self._policy = policy
        self._own = None if own is None else own.options
        self.matched = _NOTHING

    def __enter__(self) -> None:
        self._token = _look_up.set(self)

    def __exit__(self, *_: object) -> None:
        _look_up.reset(self._token)

    def ask(self, recipient: str) -> Matched:
        """Begin with another recipient."""
        self.matched = matched = Matched(recipient)
        return matched

    def find(self, matched: Matched) -> Iterable[ListenerDomain]:
        """Look its domain up; what is no domain has no entry."""
        policy, own = self._policy or installation.current().policy, self._own
        options = [] if own is None else [own]
        try:
            for found in policy.find_anywhere(_fold(matched.host)):
                if found.options is not own:
                    options.append(found.options)  # noqa: PERF401 - there is hardly ever a second
        except AddressError:
            pass
        matched.options = options
        return options


_look_up: contextvars.ContextVar[_LookUp] = contextvars.ContextVar("look_up")
_look_up_at_hand = _look_up.get
_fold = lru_cache(maxsize=4096)(address.fold_domain)


def deciding_with(policy: Policy, own: Found | None = None) -> AbstractContextManager[None]:
    """Match routes with ``policy``: a transaction is decided by one version from end to end.

    ``own`` is the entry that the mail was accepted by.
    """
    return _LookUp(policy, own)


class Key(str):
    """The route's name in the Router: a regular expression; for people, the domains it matches."""

    __slots__ = ("route",)
    route: Route

    def __str__(self) -> str:
        return self.route.describe()


class Route:
    """Matches recipients whose listener domain is as ``wants`` says, on any listener.

    ``purpose`` says for people which recipients these are. Without ``wants`` it matches all.
    """

    def __init__(self, purpose: str, wants: Callable[[ListenerDomain], bool] | None = None) -> None:
        self.purpose = purpose
        self.wants = wants
        self.key = Key(f"(?#{purpose}){_ANY_ADDRESS}")
        self.key.route = self

    def match(self, recipient: str) -> Matched | None:
        """What Salmon's Router asks of a pattern."""
        look_up = _look_up_at_hand(None) or _LookUp()
        matched = look_up.matched
        if matched.recipient is not recipient:
            matched = look_up.ask(recipient)
        wants = self.wants
        if wants is None:
            return matched
        found = matched.options
        for options in look_up.find(matched) if found is None else found:
            if wants(options):
                return matched
        return None

    def describe(self) -> str:
        """The recipients it matches, for ``salmon routes``."""
        if self.wants is None or not installation.is_installed():
            return self.purpose
        wants = self.wants
        policy = installation.current().policy
        matching = (_show(found) for found in policy.entries() if wants(found.options))
        shown = list(islice(matching, _SHOWN_DOMAINS + 1))
        # A script has no list of its domains: it is asked about each.
        otherwise = "none" if policy.events is None else f"as {policy.files[0]} says"
        domains = ", ".join(shown[:_SHOWN_DOMAINS]) or otherwise
        return f"{self.purpose}: {domains}{', …' if len(shown) > _SHOWN_DOMAINS else ''}"

    def __call__(self, handle: Callable[[ReceivedMail], None]) -> Handler:
        """Register a handler of ours: stateless, without Salmon's lock, and refusing if it fails.

        It is called with the `ReceivedMail`, whatever receiver the message came through.
        """

        @wraps(handle)
        def handler(message: MailRequest, **_captures: str) -> None:
            try:
                handle(stock.received(message))
            except SMTPError:
                raise
            except Exception as error:
                _log.exception("%s failed on mail for %s", handle.__module__, message.To)
                raise staging.smtp_error(of_error(error, socket.gethostname())) from error

        attach_salmon_settings(handler)
        handler._salmon_settings.update(  # type: ignore[attr-defined] # noqa: SLF001 - Salmon's own mark
            format=self.key, captures={}, stateless=True, nolocking=True
        )
        self._register(handler)
        return handler

    def _register(self, function: Handler) -> None:
        """As `Router.register_route` does, but with this object for a compiled expression."""
        with Router.lock:
            if self.key not in Router.REGISTERED:
                Router.ORDER.append(self.key)
            _, functions = Router.REGISTERED.get(self.key, (None, []))
            Router.REGISTERED[self.key] = (self, [function, *functions])


def _show(found: Found) -> str:
    return f"{found.key} on {found.section}" if found.section else found.key

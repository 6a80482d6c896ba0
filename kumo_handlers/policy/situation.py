"""One RCPT that did not happen: who asks where, from which sender, for which recipient.

Made from what a person writes, so that the decision can be asked for without a client.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import AddressError, ConfigurationError, Problem
from kumo_handlers.mail import address
from kumo_handlers.mail.address import Address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy import endpoint, networks, relaying
from kumo_handlers.policy.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.policy.session_events import SessionEvents

_EVERY_V4 = "0.0.0.0"  # noqa: S104 - nothing is bound here, it is what users write
_EVERYWHERE = "::"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks, as written. ``listener`` is ``IP:PORT``; empty is the first there is.

    ``peer`` is an IP, or ``IP:PORT``; ``sender`` and ``recipient`` are envelope addresses, with
    or without their angle brackets.
    """

    peer: str
    sender: str
    recipient: str
    listener: str = ""
    authz: str | None = None


class Situation(msgspec.Struct, frozen=True):
    """All that the decision depends on, but for the policy.

    The listener is as this peer sees it.
    """

    listener: Listener
    session: Session
    reverse_path: Address
    forward_path: Address

    def decide(self, policy: Policy) -> RelayDisposition:
        """The decision. Raises `PolicyError` when the policy cannot answer."""
        return relaying.decide(
            policy, self.listener, self.session, self.reverse_path, self.forward_path
        )


def of(
    question: Question,
    listeners: Sequence[Listener] = (),
    events: SessionEvents | None = None,
) -> Situation:
    """The situation that ``question`` means on one of ``listeners``.

    Without any, it is a listener with the defaults at the address asked for. ``events`` of a
    policy may want another one for this client. Raises `ConfigurationError` for what is no
    address, or where nothing listens, and `PolicyError` where an event fails.
    """
    listener = _listener(question.listener, listeners)
    local = endpoint.canonical(question.listener or listener.listen)
    peer = read_peer(question.peer)
    session = Session(
        id="",
        peer=peer,
        listener=listener.listen,
        local=local,
        hostname=listener.hostname,
        authn_id=question.authz,
        authz_id=question.authz,
        meta=dict(listener.meta),
    )
    if events is not None:
        listener = events.listener(session, listener)
    return Situation(
        listener.seen_by(peer.host, endpoint.parse(local).host),
        session,
        _path("from", question.sender),
        _path("to", question.recipient),
    )


def accepts_at(listener: Listener, where: str) -> bool:
    """Whether ``listener`` takes connections to ``where``, an ``IP:PORT`` in canonical spelling.

    Port 0 is any free one, so it may be that of ``where``.
    """
    own, asked = endpoint.parse(listener.listen), endpoint.parse(where)
    if own.path or asked.path:
        return own == asked
    everywhere = own.host == _EVERYWHERE or (own.host == _EVERY_V4 and ":" not in asked.host)
    return own.port in (asked.port, 0) and (everywhere or own.host == asked.host)


def read_peer(text: str) -> Peer:
    """``IP`` or ``IP:PORT``, the address in canonical spelling. Raises `ConfigurationError`."""
    packed = networks.pack(text)
    if packed is not None:
        return Peer(inet_ntop(AF_INET if len(packed) == 4 else AF_INET6, packed))  # noqa: PLR2004 - bytes of an IPv4 address
    try:
        read = endpoint.parse(text)
    except ValueError as error:
        raise _wrong("peer", text, "an IP address, or IP:PORT") from error
    return Peer(read.host, read.port)


def _listener(where: str, listeners: Sequence[Listener]) -> Listener:
    """The listener at ``where``: the one that says so itself before one that is everywhere."""
    if not where:
        return listeners[0] if listeners else Listener()
    try:
        wanted = str(endpoint.parse(where))
    except ValueError as error:
        raise _wrong("listener", where, endpoint.EXPECTED) from error
    if not listeners:
        return Listener(listen=where)
    exact = [each for each in listeners if endpoint.canonical(each.listen) == wanted]
    fitting = exact or [each for each in listeners if accepts_at(each, wanted)]
    if not fitting:
        known = ", ".join(each.listen for each in listeners)
        raise _wrong("listener", where, f"one of the listeners there are: {known}")
    return fitting[0]


def _path(option: str, text: str) -> Address:
    """An envelope address; ``<>`` is the null reverse-path."""
    inside = text[1:-1] if text.startswith("<") and text.endswith(">") else text
    try:
        read = address.parse(inside)
    except AddressError as error:
        raise _wrong(option, text, f"an envelope address: {error}") from error
    if option == "to" and read.is_null:
        raise _wrong(option, text, "the address of a recipient")
    return read


def _wrong(option: str, value: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        Problem(message="wrong value", option=option, value=repr(value), expected=expected)
    )

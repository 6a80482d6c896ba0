"""What the state machine tells its driver, and is waiting to be answered.

Each event knows the type of its answer. The machine reads no further input until the answer was
given: a command that comes after an unanswered one waits (RFC 2920, 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from kumo_handlers.mail.address import Address
from kumo_handlers.mail.reply import Reply
from kumo_handlers.mail.session import Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp.backend import Transaction
from kumo_handlers.smtp.credentials import Credentials, Identities

Answer = TypeVar("Answer")


class Event(msgspec.Struct, Generic[Answer], frozen=True, eq=False, kw_only=True):
    """Something the driver must answer; ``then`` is how the machine goes on with the answer."""

    then: Callable[[Answer], None]


class Connected(Event[Reply | Listener | None], frozen=True, eq=False):
    """A client is there and waits for the greeting. A reply is said instead, and ends it."""

    session: Session


class StartTLS(Event[dict[str, Any]], frozen=True, eq=False):
    """Encrypt the connection once the output is sent; the answer is the session's ``tls``."""

    session: Session


class Authenticate(Event[Identities | Reply], frozen=True, eq=False):
    """AUTH brought credentials. The answer is who it is, or the refusal."""

    session: Session
    credentials: Credentials


class Hello(Event[Reply | None], frozen=True, eq=False):
    """EHLO, HELO or LHLO: the client's name is in the session."""

    session: Session


class Mail(Event[Reply | None], frozen=True, eq=False):
    """MAIL FROM, well-formed and within the limits."""

    transaction: Transaction


class Recipient(Event[Reply | None], frozen=True, eq=False):
    """RCPT TO, well-formed and within the limits."""

    transaction: Transaction
    forward_path: Address


class Message(Event[Reply | Sequence[Reply]], frozen=True, eq=False):
    """The whole content of a transaction, which ends with it."""

    transaction: Transaction
    content: bytes


class Reset(Event[None], frozen=True, eq=False):
    """A transaction ended without a message."""

    transaction: Transaction

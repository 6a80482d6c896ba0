"""What the listener asks of the rest of the house, and the words in which it asks.

The listener speaks SMTP and knows no policy. At every point where a policy may have an opinion it
asks its backend, and says the reply it is given. ``None`` is always the usual reply.

All methods but `Backend.message` run on the event loop and must be quick. An exception out of any
of them is logged and becomes the generic reply of its kind: it never becomes an acceptance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from kumo_handlers.mail.session import Envelope, Session
from kumo_handlers.policy.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.reply import Reply


class Transaction(msgspec.Struct, frozen=True):
    """One mail transaction: from MAIL to the end of its content (RFC 5321, 3.3).

    ``envelope`` holds what was accepted so far; each acceptance makes a new value with the same
    ``id``. ``listener`` is the listener as it is for this client, `peer` and `via` applied.
    """

    id: str
    session: Session
    envelope: Envelope
    listener: Listener


class Backend(Protocol):
    """The contract between the listener and whoever decides about mail."""

    def connected(self, session: Session) -> Reply | Listener | None:
        """A client connected. A reply is said instead of the greeting, and the session ends.

        A listener is the one that this client is to see: its options hold for the session.
        """
        ...

    def hello(self, session: Session) -> Reply | None:
        """The client said its name, which stands in ``session.client_name``."""
        ...

    def mail(self, transaction: Transaction) -> Reply | None:
        """MAIL FROM: the reverse-path stands in the envelope, which has no recipient yet."""
        ...

    def recipient(self, transaction: Transaction, forward_path: Address) -> Reply | None:
        """RCPT TO. The listener adds ``forward_path`` to the envelope if the reply accepts."""
        ...

    def message(
        self, transaction: Transaction, content: bytes
    ) -> Awaitable[Reply | Sequence[Reply]]:
        """The content came in whole; who gives an accepting reply has taken responsibility.

        ``content`` is as received, dot-stuffing undone, without a Received field of ours. A
        sequence holds one reply for each of the envelope's forward-paths, in their order, and is
        for LMTP (RFC 2033, 4.2); in SMTP its first reply is said. A future is waited for as it is,
        a coroutine becomes a task.
        """
        ...

    def reset(self, transaction: Transaction) -> None:
        """The transaction ended without a message: RSET, a new EHLO, refused content, hang-up."""
        ...

    def closed(self, session: Session) -> None:
        """The connection is gone."""
        ...

"""What a policy may have to say at each step of an SMTP session, beside its entries.

A policy of tables has nothing to say; a script may refuse at any step, and change messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener


class ChangedMessage(Protocol):
    """A message, as it came in or as the policy made it."""

    id: str
    sender: Address
    recipients: tuple[Address, ...]
    meta: dict[str, Any]

    @property
    def content(self) -> bytes:
        """The message, CRLF line ends."""

    @property
    def is_discarded(self) -> bool:
        """Whether it is to be accepted and go nowhere."""

    def headers(self, names: frozenset[str]) -> dict[str, str]:
        """The first value of each of these header fields, where there is one."""

    def copy(self, message_id: str, recipient: Address) -> ChangedMessage:
        """The same message for one of its recipients."""


class SessionEvents(Protocol):
    """The steps. A reply is a refusal, None goes on; all of them raise `PolicyError`."""

    @property
    def authenticates(self) -> bool:
        """Whether the policy checks passwords."""

    @property
    def sees_messages(self) -> bool:
        """Whether messages have to be shown to it."""

    @property
    def headers_to_log(self) -> frozenset[str]:
        """The header fields that go into a message's records."""

    @property
    def max_segment_duration(self) -> float | None:
        """After how many seconds a log file ends; None leaves it to the settings."""

    @property
    def max_segment_size(self) -> int | None:
        """After how many bytes a log file ends; None leaves it to the settings."""

    @property
    def classifier_files(self) -> tuple[str, ...]:
        """Rule files for the classification of bounces."""

    def listener(self, session: Session, listener: Listener) -> Listener:
        """The listener as this client is to see it."""

    def connected(self, session: Session) -> Reply | None:
        """A client connected."""

    def hello(self, session: Session) -> Reply | None:
        """It said its name."""

    def authenticate(
        self, session: Session, authz_id: str, authn_id: str, password: str
    ) -> tuple[str, str] | Reply | None:
        """Who it is, authz_id and authn_id; None if it is not who it says."""

    def mail(self, session: Session, reverse_path: Address) -> Reply | None:
        """MAIL FROM."""

    def recipient(self, session: Session, forward_path: Address) -> Reply | None:
        """RCPT TO, of a recipient that was accepted."""

    def message(
        self,
        message_id: str,
        session: Session,
        reverse_path: Address,
        forward_paths: Sequence[Address],
        content: bytes,
    ) -> ChangedMessage:
        """The message that the next two may change."""

    def data(self, session: Session, message: ChangedMessage) -> Reply | None:
        """The message came in, for all of its recipients."""

    def received(self, session: Session, message: ChangedMessage) -> Reply | None:
        """One recipient's copy of it."""

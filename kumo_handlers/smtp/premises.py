"""What the conversations of one listener share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from kumo_handlers.smtp.census import Census
from kumo_handlers.smtp.chorus import Chorus
from kumo_handlers.smtp.guesses import Guesses
from kumo_handlers.smtp.tls import Certificates
from kumo_handlers.smtp.turnout import Turnout

if TYPE_CHECKING:
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Backend
    from kumo_handlers.smtp.credentials import Authenticator

Member = TypeVar("Member")


@dataclass(frozen=True)
class Premises(Generic[Member]):
    """One listener's options, its backend, and what it remembers of its clients."""

    listener: Listener
    backend: Backend
    authenticator: Authenticator | None = None
    census: Census[Member] = field(default_factory=Census)
    certificates: Certificates = field(default_factory=Certificates)
    guesses: Guesses = field(default_factory=Guesses)
    turnout: Turnout = field(default_factory=Turnout)
    chorus: Chorus = field(default_factory=Chorus)

    @property
    def offers(self) -> frozenset[str]:
        """The extensions that this side of the state machine can do."""
        return frozenset(("STARTTLS",) if self.authenticator is None else ("STARTTLS", "AUTH"))

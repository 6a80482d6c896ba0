"""What a policy is to the rest of the house: answers about domains, and a version.

There are several: tables read from files, and a Lua policy. Whoever asks sees this contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from kumo_handlers.policy.listener_domain import ListenerDomain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.session_events import SessionEvents


class Found(msgspec.Struct, frozen=True, gc=False):
    """The entry that answers for a domain.

    ``key`` is the entry's name, ``*.example.com`` say; ``section`` the listener it is for, in
    canonical spelling, ``""`` for the general part.
    """

    options: ListenerDomain
    key: str
    section: str = ""

    def __str__(self) -> str:
        return f'[listener."{self.section}"."{self.key}"]' if self.section else f'["{self.key}"]'


class Policy(Protocol):
    """Who may send what. Immutable: a changed file makes a new policy."""

    @property
    def version(self) -> str:
        """A hash of what it was made from."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files it was made from, to be watched."""

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The listeners it declares; none for tables."""

    @property
    def events(self) -> SessionEvents | None:
        """What it has to say at the steps of a session; None for tables."""

    def find(self, domain: str, session: Session) -> Found | None:
        """The entry for a folded domain, as seen from where ``session`` is connected.

        Raises `PolicyError` when the look-up itself fails.
        """

    def find_anywhere(self, domain: str) -> Iterable[Found]:
        """The entry for a folded domain in each section that has one, the general part last."""

    def entries(self) -> Iterator[Found]:
        """Every entry there is, the general part last."""

    def origin(self, found: Found) -> str:
        """``FILE:LINE`` of an entry, for people; ``""`` where it cannot be told."""

"""Who a client says it is, and who it turned out to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session


class Credentials(msgspec.Struct, frozen=True, eq=False):
    """What AUTH brought. ``authz_id`` is empty where the client did not ask to be another."""

    mechanism: str
    authz_id: str
    authn_id: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.mechanism}, {self.authn_id!r})"

    @property
    def is_well_formed(self) -> bool:
        """Whether name and password are there, and the names are printable."""
        named = bool(self.authn_id) and self.authn_id.isprintable() and self.authz_id.isprintable()
        return named and bool(self.password) and "\0" not in self.password


class Identities(msgspec.Struct, frozen=True):
    """Who the client is: ``authn_id`` proved itself, and acts as ``authz_id``."""

    authz_id: str
    authn_id: str


class Authenticator(Protocol):
    """Checks credentials."""

    async def authenticate(
        self, session: Session, credentials: Credentials
    ) -> Identities | Reply | None:
        """Who the client is; None if it is not who it says, or a reply that says so.

        It may take its time. An exception is a temporary failure: the client is told to try
        later, and a `PolicyError` ends the session as at any other step.
        """
        ...

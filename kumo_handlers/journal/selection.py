"""Which records somebody wants to see: by type, by domain, by when they were logged.

Only what is asked about is decoded, which is what a line costs when a log is searched.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from kumo_handlers.errors import AddressError
from kumo_handlers.mail.address import fold_domain

# Their event is the moment at which they are logged. A report's event is the failure it tells
# of, which its sender dates; it is logged when it comes in.
_OF_THE_QUEUE = frozenset({"Delivery", "TransientFailure", "Bounce", "Expiration"})


class Chosen(Protocol):
    """What a record is chosen by. An address that is no text is the list of its bytes."""

    @property
    def type(self) -> str: ...  # noqa: D102 - as in the record
    @property
    def sender(self) -> Any: ...  # noqa: D102, ANN401 - as in the record
    @property
    def recipient(self) -> Any: ...  # noqa: D102, ANN401 - as in the record
    @property
    def event_time(self) -> float: ...  # noqa: D102 - as in the record
    @property
    def created_time(self) -> float: ...  # noqa: D102 - as in the record


def logged(record: Chosen) -> float:
    """When a record was logged, in seconds since the epoch."""
    return record.event_time if record.type in _OF_THE_QUEUE else record.created_time


class Head(msgspec.Struct, frozen=True, gc=False):
    """The part of a record that it is chosen by."""

    type: str
    sender: Any
    recipient: Any
    event_time: float
    created_time: float


class Selection(msgspec.Struct, frozen=True):
    """``types`` and folded ``domains``, empty for all of them; ``since`` in seconds.

    A domain is the sender's or the recipient's; ``*.example.com`` is each below example.com.
    """

    types: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()
    since: float = 0.0

    def __contains__(self, head: Chosen) -> bool:
        if self.types and head.type not in self.types:
            return False
        if logged(head) < self.since:
            return False
        return not self.domains or any(
            self.is_asked(domain_of(address)) for address in (head.sender, head.recipient)
        )

    def is_asked(self, domain: str) -> bool:
        """Whether a folded domain is named."""
        return any(
            domain.endswith(asked[1:]) if asked.startswith("*.") else domain == asked
            for asked in self.domains
        )


decode_head = msgspec.json.Decoder(Head).decode


def domain_of(address: object) -> str:
    """The folded domain of a record's address; empty where there is none."""
    if not isinstance(address, str):
        return ""
    domain = address.rpartition("@")[2] if "@" in address else ""
    if domain.isascii():
        return domain.lower().removesuffix(".")
    try:
        return fold_domain(domain)
    except AddressError:
        return domain.lower()


def fold(domain: str) -> str:
    """A domain as a person asks for it, perhaps with ``*.``. Raises `AddressError`."""
    wildcard = "*." if domain.startswith("*.") else ""
    return wildcard + fold_domain(domain.removeprefix(wildcard))

"""One step of a look-up: a key that was asked for, and what stood there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from kumo_handlers.policy.base import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.base import Policy


class Step(msgspec.Struct, frozen=True):
    """A key of a section, ``""`` being the general part; ``found`` is None where nothing stands."""

    section: str
    key: str
    found: Found | None = None


@runtime_checkable
class Walking(Protocol):
    """A policy that can tell how it looks a domain up."""

    def walk(self, domain: str, session: Session) -> Iterator[Step]:
        """Every key that could answer, in order: the first that has an entry is the answer."""


def walk(policy: Policy, domain: str, session: Session) -> tuple[Step, ...]:
    """The steps of ``policy.find``; of a policy that cannot tell them, the answer alone.

    Raises `PolicyError` when the look-up itself fails.
    """
    if isinstance(policy, Walking):
        return tuple(policy.walk(domain, session))
    found = policy.find(domain, session)
    return (Step(found.section, found.key, found),) if found else ()

"""Rules that let everybody send to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.policy.advice.subject import Finding
from kumo_handlers.policy.domain_map import CATCH_ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.policy.advice.subject import Subject


def to_everywhere(subject: Subject) -> Iterator[Finding]:
    """``relay_to`` at the catch-all: mail from anyone to anyone."""
    for part in subject.sections.values():
        found = part.get(CATCH_ALL)
        if found is not None and found.options.relay_to:
            yield Finding(
                "anyone may send to anyone: an open relay",
                found.key,
                found.section,
                "relay_to",
                "name the domains you take mail for",
            )


def from_everyone(subject: Subject) -> Iterator[Finding]:
    """``relay_from`` of all addresses: the envelope sender, which anyone can choose, decides."""
    for found in subject.entries:
        networks = found.options.relay_from
        if networks and networks.holds_everyone:
            yield Finding(
                "anyone may send to anyone, by naming this domain as the sender: an open relay",
                found.key,
                found.section,
                "relay_from",
                "name the networks of your own clients",
            )


def hosts_of_everyone(subject: Subject) -> Iterator[Finding]:
    """``relay_hosts`` of all addresses."""
    for listener in subject.listeners:
        if listener.relay_hosts.holds_everyone:
            yield Finding(
                f"listener {listener.listen}: anyone may send to anyone: an open relay",
                option="relay_hosts",
                hint="name the networks of your own clients",
            )

"""Entries that answer for nothing, and wildcards that answer for more than they used to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.policy import networks
from kumo_handlers.policy.advice.subject import Finding
from kumo_handlers.policy.domain_map import CATCH_ALL, DomainMap
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.situation import accepts_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kumo_handlers.policy.advice.subject import Subject

# A name no entry can have, so that below a wildcard it stands for all names without one.
_ANY_LABEL = "-"


def no_entries(subject: Subject) -> Iterator[Finding]:
    """Tables without an entry: nobody may send anything to anyone."""
    if subject.parts and not subject.entries:
        yield Finding("no entries: all mail is refused")


def bare_address(subject: Subject) -> Iterator[Finding]:
    """An IP address without brackets is a name that no mail is addressed to (RFC 5321, 4.1.3)."""
    for found in subject.entries:
        if found.key[-1].isdigit() and networks.pack(found.key.removeprefix("*.")) is not None:
            yield Finding(
                "can never match: an address literal has brackets",
                found.key,
                found.section,
                hint=f'Did you mean ["[{found.key.removeprefix("*.")}]"]?',
            )


def hidden_by_sections(subject: Subject) -> Iterator[Finding]:
    """A general entry that every listener's section answers in place of, and does not inherit."""
    heard = {canonical(listener.listen) for listener in subject.listeners}
    if not heard or not heard <= subject.sections.keys():
        return
    for key in subject.sections[""]:
        probe = key if key[0] != "*" else f"{_ANY_LABEL}{key[1:]}"
        answers = [subject.at(listener, probe) for listener in subject.listeners]
        if all(found and found.section and not found.options.inherit for found in answers):
            yield Finding(
                "can never match: the section of every listener answers before it",
                key,
                hint=f"{answers[0]} does",
            )


def unheard_section(subject: Subject) -> Iterator[Finding]:
    """A section for an address where nothing listens."""
    if not subject.listeners:
        return
    for section, entries in subject.sections.items():
        if section and not any(accepts_at(each, section) for each in subject.listeners):
            known = ", ".join(listener.listen for listener in subject.listeners)
            yield Finding(
                f"can never match: nothing listens on {section}",
                next(iter(entries)),
                section,
                hint=f"the listeners are {known}",
            )


def used_to_be_hidden(subject: Subject) -> Iterator[Finding]:
    """In KumoMTA ``a.b.example.com`` keeps ``*.example.com`` from ``b.example.com``; not here."""
    for section, entries in subject.sections.items():
        keys = DomainMap({key: key for key in entries})
        hidden: dict[str, list[tuple[str, str]]] = {}
        for node, key in _nodes(entries):
            hit = keys.find(node)
            if hit is not None and hit[0] != node and hit[0] != CATCH_ALL:
                hidden.setdefault(hit[0], []).append((node, key))
        for wildcard, names in hidden.items():
            node, key = names[0]
            more = f", and {len(names) - 1} other names" if len(names) > 1 else ""
            yield Finding(
                f"matches {node} and what is below it{more}; KumoMTA does not, because of {key}",
                wildcard,
                section,
                hint=f'if they are to be refused, give them an entry: ["{node}"] and ["*.{node}"]',
            )


def _nodes(entries: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each name that stands between an entry and a wildcard above it, with the entry."""
    if not any(key.startswith("*.") for key in entries):
        return
    seen: set[str] = set()
    for key in entries:
        name = key[2:] if key.startswith("*.") else key.partition(".")[2]
        while name and name not in seen and not key.startswith("["):
            seen.add(name)
            yield name, key
            name = name.partition(".")[2]

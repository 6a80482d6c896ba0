"""Options that say nothing, and options that are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy import toml_text
from kumo_handlers.policy.advice.subject import Finding
from kumo_handlers.policy.listener_domain import OPTIONS
from kumo_handlers.policy.step import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.policy.advice.subject import Subject
    from kumo_handlers.policy.entries import Given


def dropped(subject: Subject) -> Iterator[Finding]:
    """A section's entry is the whole answer: what the general entry says is off, if not said."""
    for found in subject.entries:
        if not found.section or found.options.inherit:
            continue
        general = subject.general(found.key)
        if general is None:
            continue
        lost = toml_text.options_of(general.options).keys() - subject.given(found).keys()
        if lost:
            yield Finding(
                f"drops {', '.join(sorted(lost))}, which {general} says",
                found.key,
                found.section,
                hint="say inherit = true to keep what is not said here",
            )


def inherits_nothing(subject: Subject) -> Iterator[Finding]:
    """``inherit`` where the general part has no entry to inherit from."""
    for found in subject.entries:
        if found.section and found.options.inherit and subject.general(found.key) is None:
            yield Finding(
                "there is no general entry to inherit from", found.key, found.section, "inherit"
            )


def own_default(subject: Subject) -> Iterator[Finding]:
    """An option that is said to be what it is anyway, and takes nothing away from anything."""
    known: dict[int, tuple[str, ...]] = {}
    for part in subject.parts:
        for section, entries in {"": part.general, **part.sections}.items():
            for key, given in entries.items():
                idle = known.get(id(given))
                if idle is None:
                    idle = known[id(given)] = _defaults(given)
                for name in idle:
                    if not _matters(subject, section, key, name):
                        default = OPTIONS[name].default_text
                        yield Finding(f"{name} is {default} by default", key, section, name)


def _defaults(given: Given) -> tuple[str, ...]:
    return tuple(name for name, value in given.items() if value == OPTIONS[name].default)


def _matters(subject: Subject, section: str, key: str, name: str) -> bool:
    """Whether another entry for the same names, or another source, says otherwise."""
    session = Session("", Peer(""), listener=section)
    around = (step.found for step in walk(subject.policy, key, session))
    default = OPTIONS[name].default
    return _said_by(subject, section, key, name) > 1 or any(
        found is not None and getattr(found.options, name) != default for found in around
    )


def _said_by(subject: Subject, section: str, key: str, name: str) -> int:
    """How many sources say the option for this entry: a later one may take back an earlier."""
    parts = (part.sections.get(section, {}) if section else part.general for part in subject.parts)
    return sum(name in part.get(key, ()) for part in parts)

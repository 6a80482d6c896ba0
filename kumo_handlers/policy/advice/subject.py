"""What is looked at, and what is found."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy import toml_text
from kumo_handlers.policy.merging import merge

if TYPE_CHECKING:
    from kumo_handlers.policy.base import Found, Policy
    from kumo_handlers.policy.entries import Entries, Given
    from kumo_handlers.policy.listener import Listener


class Finding(msgspec.Struct, frozen=True):
    """One thing to warn of, at an entry of the policy or, where ``key`` is empty, at a listener."""

    message: str
    key: str = ""
    section: str = ""
    option: str | None = None
    hint: str | None = None


class Subject:
    """A policy with the listeners it is asked at; none where nothing says where to listen.

    ``parts`` are the entries of each source, as far as the policy was read from tables.
    """

    def __init__(
        self,
        policy: Policy,
        listeners: tuple[Listener, ...] = (),
        parts: tuple[Entries, ...] = (),
    ) -> None:
        self.policy = policy
        self.listeners = listeners
        self.parts = parts

    @cached_property
    def entries(self) -> tuple[Found, ...]:
        """Every entry there is."""
        return tuple(self.policy.entries())

    @cached_property
    def sections(self) -> dict[str, dict[str, Found]]:
        """The entries by section and key; ``""`` is the general part."""
        sections: dict[str, dict[str, Found]] = {"": {}}
        for found in self.entries:
            sections.setdefault(found.section, {})[found.key] = found
        return sections

    @cached_property
    def _given(self) -> Entries:
        return merge(self.parts)

    def given(self, found: Found) -> Given:
        """The options that an entry says itself, whatever their values."""
        part = self._given.sections.get(found.section, {}) if found.section else self._given.general
        return part.get(found.key) or toml_text.options_of(found.options)

    def general(self, key: str) -> Found | None:
        """What the general part says of a key: what a section's entry stands in place of."""
        return self.policy.find(key, Session("", Peer("")))

    def at(self, listener: Listener, key: str) -> Found | None:
        """What is found for a key by a client of ``listener``."""
        return self.policy.find(key, Session("", Peer(""), listener=listener.listen))

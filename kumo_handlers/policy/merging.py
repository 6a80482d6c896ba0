"""Entries of several sources become one set, and each entry becomes its `ListenerDomain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.policy.domain_map import DomainMap
from kumo_handlers.policy.entries import Entries, Given
from kumo_handlers.policy.listener_domain import ListenerDomain

if TYPE_CHECKING:
    from collections.abc import Iterable

Domains = DomainMap[ListenerDomain]


def merge(parts: Iterable[Entries]) -> Entries:
    """All ``parts`` as one: entries of the same key, option by option, the later ones winning.

    The parts are used up: the result is made of them.
    """
    whole = Entries({}, {})
    merged = _Merged()
    for part in parts:
        merged.add(whole.general, part.general)
        for section, entries in part.sections.items():
            merged.add(whole.sections.setdefault(section, {}), entries)
    return whole


class _Merged:
    """Merges entries, giving the same object for the same two: they are shared by millions."""

    def __init__(self) -> None:
        # Known by identity, which holds only as long as they live: so they are kept.
        self._known: dict[tuple[int, int], tuple[Given, Given, Given]] = {}

    def add(self, entries: dict[str, Given], more: dict[str, Given]) -> None:
        if not entries:
            entries.update(more)
            return
        for key, given in more.items():
            earlier = entries.get(key)
            entries[key] = given if earlier is None else self._both(earlier, given)

    def _both(self, earlier: Given, later: Given) -> Given:
        pair = id(earlier), id(later)
        if pair not in self._known:
            self._known[pair] = earlier, later, {**earlier, **later}
        return self._known[pair][2]


def resolve(entries: Entries) -> tuple[Domains, dict[str, Domains]]:
    """The domains of the general part, and those of each section."""
    made = _Made()
    general = DomainMap({key: made.of(given) for key, given in entries.general.items()})
    sections = {
        section: DomainMap(
            {key: made.inheriting(key, given, general) for key, given in part.items()}
        )
        for section, part in entries.sections.items()
    }
    return general, sections


class _Made:
    """Makes a `ListenerDomain` of what an entry gives: one object for all that are equal."""

    def __init__(self) -> None:
        self._by_given: dict[int, ListenerDomain] = {}
        self._equal: dict[ListenerDomain, ListenerDomain] = {}

    def of(self, given: Given) -> ListenerDomain:
        """The options given, the defaults for the rest."""
        made = self._by_given.get(id(given))
        if made is None:
            made = self._by_given[id(given)] = self._one(ListenerDomain(**given))
        return made

    def inheriting(self, key: str, given: Given, general: Domains) -> ListenerDomain:
        """As `of`, but with ``inherit`` the general entry of ``key`` stands for the defaults."""
        hit = general.find(key) if given.get("inherit") else None
        if hit is None:
            return self.of(given)
        return self._one(msgspec.structs.replace(hit[1], **given))

    def _one(self, options: ListenerDomain) -> ListenerDomain:
        return self._equal.setdefault(options, options)

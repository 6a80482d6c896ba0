"""Entries of several sources become one set, and each entry becomes its `ListenerDomain`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.policy.domain_map import DomainMap
from kumo_handlers.policy.entries import Entries, Given, entries_of
from kumo_handlers.policy.listener_domain import ListenerDomain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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


def resolve_changed(
    general: Domains,
    sections: Mapping[str, Domains],
    parts: Sequence[Entries],
    changed: Iterable[tuple[str, str]],
) -> tuple[Domains, dict[str, Domains]]:
    """What `resolve` made, with the entries of ``changed``, (section, key), made again.

    ``parts`` are the sources as they are now. Of entries that inherit, the whole section is made
    again once the general part changed.
    """
    keys: dict[str, set[str]] = {}
    for section, key in changed:
        keys.setdefault(section, set()).add(key)
    made = _Made()
    general = general.changed(
        {
            key: made.of(given) if given is not None else None
            for key, given in _merged(parts, "", keys.get("", ()))
        }
    )
    done = dict(sections)
    for section in {*keys, *sections} - {""}:
        before = sections.get(section)
        again: Iterable[str] = keys.get(section, ())
        if before is None or ("" in keys and _inherits(before)):
            again = {key for each in parts for key in entries_of(each, section)}
            before = DomainMap({})
        done[section] = before.changed(
            {
                key: made.inheriting(key, given, general) if given is not None else None
                for key, given in _merged(parts, section, again)
            }
        )
        if not done[section]:
            del done[section]
    return general, done


def _merged(
    parts: Sequence[Entries], section: str, keys: Iterable[str]
) -> Iterator[tuple[str, Given | None]]:
    """What all ``parts`` give for each key; None where none has it."""
    for key in keys:
        given = [
            each
            for each in (entries_of(entries, section).get(key) for entries in parts)
            if each is not None
        ]
        yield key, reduce(or_, given) if given else None


def _inherits(domains: Domains) -> bool:
    return any(options.inherit for _, options in domains.items())


class _Made:
    """Makes a `ListenerDomain` of what an entry gives: one object for all that are equal."""

    def __init__(self) -> None:
        # Known by identity, which holds only as long as they live: so they are kept.
        self._by_given: dict[int, tuple[Given, ListenerDomain]] = {}
        self._equal: dict[ListenerDomain, ListenerDomain] = {}

    def of(self, given: Given) -> ListenerDomain:
        """The options given, the defaults for the rest."""
        known = self._by_given.get(id(given))
        if known is None:
            known = self._by_given[id(given)] = given, self._one(ListenerDomain(**given))
        return known[1]

    def inheriting(self, key: str, given: Given, general: Domains) -> ListenerDomain:
        """As `of`, but with ``inherit`` the general entry of ``key`` stands for the defaults."""
        hit = general.find(key) if given.get("inherit") else None
        if hit is None:
            return self.of(given)
        return self._one(msgspec.structs.replace(hit[1], **given))

    def _one(self, options: ListenerDomain) -> ListenerDomain:
        return self._equal.setdefault(options, options)

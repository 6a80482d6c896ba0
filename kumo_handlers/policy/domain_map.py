"""Exact and wildcard look-up by domain name.

Two flat dictionaries, of names and of what stands below a ``*.``, so that a million domains cost
what ten do, in time, and little in memory. A name without an entry of its own is asked for by its
suffixes, longest first, no longer than the deepest wildcard there is and no shorter than the
shallowest: a name of 127 labels costs hardly more than one of three. Where a table has deep
wildcards, the longest is found by halving instead, so that no table makes a name dear.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

T = TypeVar("T")

# What everything else falls to, the empty domain of <> and <postmaster> included.
CATCH_ALL = "*"
# Wildcards of so many labels are found by a walk; where there are deeper ones, by halving.
_WALKED = 8


class DomainMap(Generic[T]):
    """An immutable map from domains to ``T``, of which None is no value.

    ``entries`` is keyed by folded names, ``example.com``, and by wildcards, ``*.example.com`` and
    ``*``.
    """

    __slots__ = (
        "_above",
        "_catch_all",
        "_deepest",
        "_names",
        "_reach",
        "_shallowest",
        "_wildcards",
    )

    def __init__(self, entries: Mapping[str, T]) -> None:
        self._names: dict[str, T] = {}
        self._wildcards: dict[str, T] = {}
        self._catch_all = entries.get(CATCH_ALL)
        for key, value in entries.items():
            if key[0] != "*":
                self._names[key] = value
            elif key != CATCH_ALL:
                self._wildcards[key[2:]] = value
        self._measure()

    def changed(self, changes: Mapping[str, T | None]) -> DomainMap[T]:
        """The map with other values for some keys; None takes a key out.

        Costs a copy of the dictionaries that change, and no look at what stays.
        """
        made: DomainMap[T] = copy(self)
        made._catch_all = changes.get(CATCH_ALL, self._catch_all)
        plain = {key: value for key, value in changes.items() if key[0] != "*"}
        wildcards = {key[2:]: value for key, value in changes.items() if key.startswith("*.")}
        if plain:
            made._names = _replaced(self._names, plain)
        if wildcards:
            made._wildcards = _replaced(self._wildcards, wildcards)
            made._measure()
        return made

    def _measure(self) -> None:
        """How far a look-up has to walk."""
        dots = {suffix.count(".") for suffix in self._wildcards}
        # The dots of the longest and of the shortest wildcard; without any, the walk is over
        # before it starts.
        self._deepest = max(dots, default=-1) + 1
        self._shallowest = min(dots, default=0) + 1
        # The characters of a name that can matter: of the longest suffix, and the dot before it.
        self._reach = max(map(len, self._wildcards), default=0) + 1
        self._above = _above(self._wildcards) if self._deepest > _WALKED else None

    def find(self, name: str) -> tuple[str, T] | None:
        """The key and the value of the entry that answers for ``name``, a folded domain.

        The name's own entry, else the longest wildcard above it, else the catch-all.
        """
        value = self._names.get(name)
        if value is not None:
            return name, value
        tail = name[-self._reach :]
        if self._above is not None:
            suffix = _longest(self._above, tail)
            if suffix:
                return f"*.{suffix}", self._wildcards[suffix]
            return None if self._catch_all is None else (CATCH_ALL, self._catch_all)
        dots = tail.count(".")
        if dots > self._deepest:
            dots = self._deepest
            suffix = tail[len(tail.rsplit(".", dots)[0]) + 1 :]
        else:
            suffix = tail.partition(".")[2]
        while dots >= self._shallowest:
            value = self._wildcards.get(suffix)
            if value is not None:
                return f"*.{suffix}", value
            suffix = suffix.partition(".")[2]
            dots -= 1
        return None if self._catch_all is None else (CATCH_ALL, self._catch_all)

    def walk(self, name: str) -> Iterator[tuple[str, T | None]]:
        """Every key that could answer for ``name``, in the order of asking, and what is there.

        `find` ends at the first that has an entry; entries behind it are passed over. Wildcards
        longer than the longest there is, and shorter than the shortest, are left out.
        """
        if name:
            yield name, self._names.get(name)
        suffix = "" if name.startswith("[") else name  # nothing is above an address literal
        while "." in suffix:
            suffix = suffix.partition(".")[2]
            if self._shallowest <= suffix.count(".") + 1 <= self._deepest:
                yield f"*.{suffix}", self._wildcards.get(suffix)
        yield CATCH_ALL, self._catch_all

    def items(self) -> Iterator[tuple[str, T]]:
        """Every key with its value: names, wildcards, the catch-all."""
        yield from self._names.items()
        for suffix, value in self._wildcards.items():
            yield f"*.{suffix}", value
        if self._catch_all is not None:
            yield CATCH_ALL, self._catch_all

    def __len__(self) -> int:
        return len(self._names) + len(self._wildcards) + (self._catch_all is not None)


def _replaced(entries: dict[str, T], changes: Mapping[str, T | None]) -> dict[str, T]:
    """A copy with these values; None takes a key out."""
    made = entries.copy()
    for key, value in changes.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = value
    return made


def _above(wildcards: Iterable[str]) -> dict[str, str]:
    """Every name at or above a wildcard's, with the longest wildcard at or above that; or "".

    What stands here has all that is above it here too, so the longest can be found by halving.
    """
    above: dict[str, str] = {}
    for suffix in sorted(wildcards, key=len):
        above[suffix] = suffix
        higher = suffix.partition(".")[2]
        while higher and higher not in above:
            above[higher] = ""
            higher = higher.partition(".")[2]
    for suffix in sorted(above, key=len):
        above[suffix] = above[suffix] or above.get(suffix.partition(".")[2], "")
    return above


def _longest(above: Mapping[str, str], tail: str) -> str:
    """The longest wildcard above a name that ends in ``tail``; "" where there is none."""
    if tail.rpartition(".")[2] not in above:
        return ""
    longest, low, high = "", 0, len(tail)
    while low < high:
        dot = tail.find(".", (low + high) // 2, high)
        if dot < 0:
            high = (low + high) // 2
            continue
        found = above.get(tail[dot + 1 :])
        if found is None:
            low = dot + 1
        else:
            longest, high = found, dot
    return longest

"""Exact and wildcard look-up by domain name.

One flat dictionary holds names and wildcards as they are written, so that a million domains cost
what ten do, in time, and little in memory. A name without an entry of its own is asked for by its
suffixes, longest first, and no further from the top than the deepest wildcard there is: a name of
127 labels costs no more than one of three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

# What everything else falls to, the empty domain of <> and <postmaster> included.
CATCH_ALL = "*"


class DomainMap(Generic[T]):
    """An immutable map from domains to ``T``.

    ``entries`` is keyed by folded names, ``example.com``, and by wildcards, ``*.example.com`` and
    ``*``. It is kept, not copied: do not change it afterwards.
    """

    __slots__ = ("_deepest", "_entries")

    def __init__(self, entries: dict[str, T]) -> None:
        self._entries = entries
        self._deepest = max((key.count(".") for key in entries if key[0] == "*"), default=0)

    def find(self, name: str) -> tuple[str, T] | None:
        """The key and the value of the entry that answers for ``name``, a folded domain.

        The name's own entry, else the longest wildcard above it, else the catch-all.
        """
        entries = self._entries
        value = entries.get(name)
        if value is not None:
            return name, value
        if self._deepest:
            labels = name.rsplit(".", self._deepest)
            start = len(labels[0])
            for label in labels[1:]:
                key = "*" + name[start:]
                value = entries.get(key)
                if value is not None:
                    return key, value
                start += len(label) + 1
        value = entries.get(CATCH_ALL)
        return None if value is None else (CATCH_ALL, value)

    def items(self) -> Iterator[tuple[str, T]]:
        """Every key with its value, in the order given."""
        yield from self._entries.items()

    def __len__(self) -> int:
        return len(self._entries)

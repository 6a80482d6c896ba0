"""A hash of a set of entries that is kept up to date, whatever changes: one addition an entry.

The sum of the entries' hashes does not depend on their order. It tells contents apart that differ
by accident; it is no proof against somebody who may write the table.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from kumo_handlers.policy.listener_domain import OPTIONS

if TYPE_CHECKING:
    from kumo_handlers.policy.entries import Given

_SIZE = 16  # bytes
_MODULUS = 1 << (8 * _SIZE)


class Checksum:
    """The hash of what was added and not taken away again."""

    def __init__(self) -> None:
        self._sum = 0
        # Known by identity, as they are shared by millions; kept, so that identity holds.
        self._texts: dict[int, tuple[Given, str]] = {}

    def add(self, section: str, key: str, given: Given) -> None:
        """An entry that is there now."""
        self._sum += self._hash(section, key, given)

    def remove(self, section: str, key: str, given: Given) -> None:
        """An entry that was added, and is there no more."""
        self._sum -= self._hash(section, key, given)

    def __str__(self) -> str:
        return f"{self._sum % _MODULUS:0{2 * _SIZE}x}"

    def _hash(self, section: str, key: str, given: Given) -> int:
        known = self._texts.get(id(given))
        if known is None:
            known = self._texts[id(given)] = given, _text(given)
        text = f"{section}\0{key}\0{known[1]}"
        return int.from_bytes(blake2b(text.encode(), digest_size=_SIZE).digest())


def _text(given: Given) -> str:
    """The options in one spelling, whatever their order."""
    return "\0".join(f"{name}={OPTIONS[name].kind.show(given[name])}" for name in sorted(given))

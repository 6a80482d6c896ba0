"""What a table of rules lacks to be what files say: the rows to put, and those to take out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self

from kumo_handlers.errors import AddressError
from kumo_handlers.policy.database.columns import row
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import fold_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kumo_handlers.policy.database.columns import Key, Row
    from kumo_handlers.policy.entries import Entries

_LONG: Final = 50_000  # changes: more are not listed one by one


class Difference(NamedTuple):
    """Rows to put, keys to take out, and how many rows are as they should be."""

    rows: tuple[Row, ...]
    gone: tuple[Key, ...]
    same: int

    @property
    def is_long(self) -> bool:
        """Whether it is quicker to read all of the table again than what changed."""
        return len(self.rows) + len(self.gone) > _LONG

    @classmethod
    def of(cls, rows: Iterable[Row], entries: Entries, *, replace: bool) -> Self:
        """Of the ``rows`` there are to the rows of ``entries``.

        A row of the same entry in another spelling goes, for two would be an error; with
        ``replace`` every row goes that is not among the entries.
        """
        wanted = _wanted(entries)
        same: set[Key] = set()
        gone: list[Key] = []
        for each in rows:
            key = each[0], each[1]
            meant = wanted.get(key)
            if meant is None:
                if replace or _key(key) in wanted:
                    gone.append(key)
            elif meant == each:
                same.add(key)
        lacking = tuple(each for key, each in wanted.items() if key not in same)
        return cls(lacking, tuple(gone), len(same))


def _wanted(entries: Entries) -> dict[Key, Row]:
    parts = (("", entries.general), *entries.sections.items())
    return {
        (section, key): row(section, key, given)
        for section, part in parts
        for key, given in part.items()
    }


def _key(key: Key) -> Key:
    if not all(isinstance(part, str) for part in key):
        return key  # a BLOB of SQLite, which is of no entry
    try:
        return canonical(key[0]), fold_key(key[1])
    except AddressError:
        return key

"""The columns of the table of rules: where an entry is for, and one column an option.

NULL is an option that was not given. A row is read as the table of a TOML file would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from kumo_handlers.policy.listener_domain import OPTIONS, ReportDisposition
from kumo_handlers.policy.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE: Final = "listener_domains"
COLUMNS: Final = tuple(name for name, option in OPTIONS.items() if option.effect)
LISTS: Final = frozenset({"relay_from", "relay_from_authz"})

# Section, domain, and the values of `COLUMNS`; lists are JSON text.
Row = tuple[Any, ...]
Key = tuple[str, str]  # of a row: section, domain
_WORDS: Final = {"true": True, "false": False}


def options(values: Row) -> dict[str, Any]:
    """The options that the values of one row give, as a file would give them."""
    return {
        name: _raw(name, value)
        for name, value in zip(COLUMNS, values, strict=True)
        if value is not None
    }


def _raw(name: str, value: object) -> object:
    """A value as TOML has it. What is none of that stays as it is, for the check to name."""
    if name in LISTS and isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    if isinstance(value, str):
        return _WORDS.get(value, value)
    return bool(value) if value in (0, 1) else value


def row(section: str, key: str, given: Mapping[str, Any]) -> Row:
    """The row of an entry that gives these options."""
    return (section, key, *(_value(given.get(name)) for name in COLUMNS))


def _value(given: object) -> object:
    if isinstance(given, ReportDisposition):
        return "false" if given is ReportDisposition.IGNORE else given.value
    if isinstance(given, Networks):
        return msgspec.json.encode(given.blocks).decode()
    if isinstance(given, frozenset):
        return msgspec.json.encode(sorted(given)).decode()
    return given

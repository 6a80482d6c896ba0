"""Tables of options as Lua gives them, made into what the declared options read.

Two things are lost in a table of Lua: whether an empty one was a list, and whether a number was
written as a whole one. Both are settled here by what the option of that name takes.
"""

from __future__ import annotations

from typing import Any, Final

from kumo_handlers.policy import listener, listener_domain
from kumo_handlers.policy.kinds import NETWORKS, STRINGS

_LISTS: Final = frozenset(
    name
    for options in (listener.OPTIONS, listener.TRACE_HEADERS, listener_domain.OPTIONS)
    for name, option in options.items()
    if option.kind in (NETWORKS, STRINGS)
)
# What belongs to the user: no option, whatever it is called.
_OPAQUE: Final = "meta"


def settle(table: dict[str, Any]) -> dict[str, Any]:
    """The table with lists where lists are expected, and whole numbers as such."""
    return {name: _settle(name, value) for name, value in table.items()}


def _settle(name: str, value: object) -> Any:  # noqa: ANN401 - any value
    if value == {} and name in _LISTS:
        return []
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict) and name != _OPAQUE:
        return settle(value)
    return value

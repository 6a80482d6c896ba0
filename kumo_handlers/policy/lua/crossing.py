"""What crosses between Python and Lua: strings, numbers, booleans, and tables of these.

Nothing else does. lupa would hand a Python object to Lua as an object, and with many of them may
hand out the wrong one; so no object is ever offered. Strings are bytes in Lua: text is UTF-8 in
both directions, and bytes that are none come back as they went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lupa.lua54 import lua_type

from kumo_handlers.mail import octets

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 32
MAX_ITEMS: Final = 1_000_000
# What a number of Lua holds.
_INTEGERS: Final = range(-(2**63), 2**63)


class UncrossableError(ValueError):
    """A value that is neither plain nor a table, and the keys of the tables it stands in."""

    def __init__(self, kind: str, path: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.path = path
        where = f"{'.'.join(path)}: " if path else ""
        super().__init__(f"{where}a {kind} cannot be given here")


def encode(text: str) -> bytes:
    """Text as a string of Lua."""
    return octets.of_text(text)


def decode(string: bytes) -> str:
    """A string of Lua as text."""
    return octets.to_text(string)


def to_lua(value: object, table: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - lupa has no types
    """``value`` as Lua takes it; ``table`` makes a table of a dict or a list, recursively."""
    made = _plain(value)
    return table(made) if isinstance(made, dict | list) else made


def _plain(value: object) -> Any:  # noqa: ANN401 - one of the few types that cross
    match value:
        case None | bool() | float() | bytes():
            return value
        case int():
            return value if value in _INTEGERS else float(value)
        case str():
            return encode(value)
        case dict():
            # a key without a value is none, in a table
            pairs = ((_plain(key), _plain(item)) for key, item in value.items())
            return {key: item for key, item in pairs if item is not None}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value if item is not None]
        case _:
            return encode(str(value))


def from_lua(value: object) -> Any:  # noqa: ANN401 - as above
    """A value of Lua: a table of 1…n is a list, any other a dict, the empty one too.

    Raises ValueError for what does not cross: functions, coroutines, objects, endless tables.
    """
    return _read(value, MAX_DEPTH, [MAX_ITEMS])


def _read(value: object, depth: int, items: list[int]) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, bytes):
        return decode(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    kind = lua_type(value)
    if kind != "table":
        raise UncrossableError(kind or type(value).__name__)
    if depth == 0:
        raise ValueError("the table is nested too deeply")
    read: dict[Any, Any] = {}
    for key, item in value.items():  # type: ignore[attr-defined] # a table of lupa's
        items[0] -= 1
        if items[0] < 0:
            raise ValueError("the table is too large")
        name = decode(key) if isinstance(key, bytes) else key
        if not isinstance(name, str | int | float):
            kind = lua_type(key) or type(key).__name__
            raise ValueError(f"a key of the table is a {kind}")  # noqa: TRY004 - as above
        try:
            read[name] = _read(item, depth - 1, items)
        except UncrossableError as error:
            raise UncrossableError(error.kind, (str(name), *error.path)) from error
    if read and all(index in read for index in range(1, len(read) + 1)):
        return [read[index] for index in range(1, len(read) + 1)]
    return {str(name): item for name, item in read.items()}

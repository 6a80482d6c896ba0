"""The kinds of options there are: how each reads a raw value, and shows it."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from kumo_handlers.errors import AddressError, ConfigurationError, Problem
from kumo_handlers.mail.address import fold_domain
from kumo_handlers.policy import duration, endpoint, networks
from kumo_handlers.policy.options import Kind, Place, read_strictly, refuse, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kumo_handlers.policy.options import Option

# RFC 5322, 2.2: printable US-ASCII, but for the colon.
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")

_IN_RECORDS = "what JSON can hold: text, a number, true or false, a list or table of these"

E_ = TypeVar("E_", bound=enum.Enum)


def _read_bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    is_quoted = isinstance(raw, str) and raw in {"true", "false"}
    raise refuse(raw, f"without quotes: {raw}" if is_quoted else None)


def _read_count(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and raw > 0:
        return raw
    raise refuse(raw)


def _read_text(raw: object) -> str:
    if isinstance(raw, str) and raw.isprintable():
        return raw
    raise refuse(raw)


def _read_reply_text(raw: object) -> str:
    text = _read_text(raw)
    # RFC 5321, 4.2: replies are ASCII; sent as question marks it would be another text.
    if text.isascii():
        return text
    raise refuse(raw)


def _read_word(raw: object) -> str:
    if isinstance(raw, str) and raw and raw.isprintable():
        return raw
    raise refuse(raw)


def _read_host_name(raw: object) -> str:
    try:
        # A greeting without a name is none (RFC 5321, 4.2): the empty domain will not do.
        if isinstance(raw, str) and (folded := fold_domain(raw)):
            # What is not ASCII could not be said in a greeting: its A-labels can.
            return raw if raw.isascii() else folded
    except AddressError as error:
        raise refuse(raw) from error
    raise refuse(raw)


def _read_field_name(raw: object) -> str:
    if isinstance(raw, str) and _FIELD_NAME.fullmatch(raw):
        return raw
    raise refuse(raw)


def _read_strings(raw: object) -> frozenset[str]:
    if not isinstance(raw, list | tuple | set | frozenset):
        raise refuse(raw, _listed(raw))
    if wrong := [item for item in raw if not isinstance(item, str) or not item]:
        raise refuse(wrong[0])
    return frozenset(raw)


def _read_networks(raw: object) -> networks.Networks:
    if isinstance(raw, networks.Networks):
        return raw
    if raw == networks.ANY:
        raw = [raw]
    if not isinstance(raw, list | tuple | set | frozenset):
        raise refuse(raw, _listed_block(raw))
    if wrong := [item for item in raw if not isinstance(item, str)]:
        raise refuse(wrong[0])
    return networks.Networks.parse(raw)


def _listed_block(raw: object) -> str | None:
    """As `_listed`, where that would be taken."""
    if not isinstance(raw, str):
        return None
    if raw.lower() == networks.ANY:
        return f"Did you mean {networks.ANY}?"
    return _listed(raw) if networks.is_block(raw) else None


def _listed(raw: object) -> str | None:
    return f"Did you mean [{shown(raw)}]?" if isinstance(raw, str) else None


def _read_duration(raw: object) -> float:
    try:
        return duration.parse(raw)
    except ValueError as error:
        raise refuse(raw) from error


def _read_endpoint(raw: object) -> str:
    try:
        endpoint.parse(_read_text(raw))
    except ValueError as error:
        raise refuse(raw) from error
    return str(raw)


def _read_table(raw: object) -> dict[str, Any]:
    if isinstance(raw, dict) and all(isinstance(key, str) for key in raw):
        return raw
    raise refuse(raw)


def _read_metadata(raw: object) -> dict[str, Any]:
    table = _read_table(raw)
    problems = [
        Problem(message="wrong value", option=name, value=shown(value), expected=_IN_RECORDS)
        for name, value in table.items()
        if not _is_recordable(value)
    ]
    if problems:
        raise ConfigurationError(problems)
    return table


def _is_recordable(value: object) -> bool:
    """Whether it can be written into a record; text that is no UTF-8 can."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return True
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _show_bool(value: object) -> str:
    return "true" if value else "false"


def _show_list(value: Iterable[str]) -> str:
    return f"[{', '.join(repr(item) for item in value)}]"


def _show_enum(value: enum.Enum) -> str:
    return str(value.value)


BOOL = Kind("bool", "true or false", _read_bool, _show_bool)
COUNT = Kind("int", "a whole number above 0", _read_count)
BYTES = Kind("bytes", "a number of bytes above 0", _read_count)
TEXT = Kind("str", "printable text", _read_text)
REPLY = Kind("str", "printable ASCII text", _read_reply_text)
HOST_NAME = Kind("host name", "a host name, such as mail.example.com", _read_host_name)
FIELD_NAME = Kind("header name", "the name of a header", _read_field_name)
PATH = Kind("path", "the path of a file", _read_word, lambda value: value or "")
STRINGS = Kind(
    "list of str", "a list of strings", _read_strings, lambda value: _show_list(sorted(value))
)
NETWORKS = Kind(
    "list of IP or CIDR",
    "a list of IP addresses and CIDR blocks, or any",
    _read_networks,
    lambda value: _show_list(value.blocks),
)
DURATION = Kind("duration", duration.EXPECTED, _read_duration, duration.show)
ENDPOINT = Kind("IP:PORT", endpoint.EXPECTED, _read_endpoint)
TABLE = Kind("table", "a table", _read_table)
METADATA = Kind("table", "a table", _read_metadata)


def choice(values: type[E_]) -> Kind:
    """One of the words of an enumeration, spelt exactly."""
    words = {str(member.value): member for member in values}

    def read(raw: object) -> E_:
        if isinstance(raw, values):
            return raw
        if isinstance(raw, str) and raw in words:
            return words[raw]
        raise refuse(raw, _nearest(raw, words))

    return Kind(" | ".join(words), _one_of(words), read, _show_enum)


def choice_or_bool(values: type[E_], *, true: E_, false: E_) -> Kind:
    """One of the words of an enumeration, or a boolean that stands for one of them."""
    words = {str(member.value): member for member in values if member is not true}

    def read(raw: object) -> E_:
        if isinstance(raw, bool):
            return true if raw else false
        if isinstance(raw, values):
            return raw
        if isinstance(raw, str) and raw in words:
            return words[raw]
        raise refuse(raw, _nearest(raw, words))

    names = {"true": true, "false": false, **words}
    return Kind(
        f"bool | {' | '.join(words)}",
        _one_of(names),
        read,
        lambda value: "false" if value is false else _show_enum(value),
    )


def nested(struct: type[msgspec.Struct], options: Mapping[str, Option]) -> Kind:
    """A table with declared options of its own."""

    def read(raw: object) -> msgspec.Struct:
        if isinstance(raw, struct):
            return raw
        return struct(**read_strictly(_read_table(raw), options, Place()))

    def show(value: object) -> str:
        shown = (
            f"{name} = {option.kind.show(getattr(value, name))}" for name, option in options.items()
        )
        return f"{{ {', '.join(shown)} }}"

    return Kind("table", f"a table of {', '.join(options)}", read, show)


def _one_of(words: Iterable[str]) -> str:
    return f"one of {', '.join(words)}"


def _nearest(raw: object, words: Iterable[str]) -> str | None:
    return suggestion(raw, words) if isinstance(raw, str) else None

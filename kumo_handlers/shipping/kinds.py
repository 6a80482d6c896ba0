"""The kinds of options that only shipping has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kumo_handlers.errors import AddressError, ConfigurationError, Problem
from kumo_handlers.journal import selection
from kumo_handlers.journal.record import RecordType
from kumo_handlers.policy.options import Kind, refuse, suggestion
from kumo_handlers.shipping import routing_key

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# PostgreSQL's names have 63 octets: room is left for a month.
_TABLE_NAME = re.compile(r"([a-z_][a-z0-9_]{0,47}\.)?[a-z_][a-z0-9_]{0,47}")
_RECORD_TYPES = {each.value for each in RecordType}


def _read_file_name(raw: object) -> str:
    if isinstance(raw, str) and _FILE_NAME.fullmatch(raw):
        return raw
    raise refuse(raw)


def _words(raw: object) -> list[str]:
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list | tuple | set | frozenset) or not items:
        raise refuse(raw)
    for item in items:
        if not isinstance(item, str):
            raise refuse(item)
    return list(items)


def _read_types(raw: object) -> frozenset[str]:
    words = _words(raw)
    for word in words:
        if word not in _RECORD_TYPES:
            raise refuse(word, suggestion(word, _RECORD_TYPES))
    return frozenset(words)


def _read_domains(raw: object) -> tuple[str, ...]:
    try:
        return tuple(map(selection.fold, _words(raw)))
    except AddressError as error:
        raise refuse(raw, str(error)) from error


def _read_word(raw: object) -> str:
    if isinstance(raw, str) and raw and raw.isprintable():
        return raw
    raise refuse(raw)


def _read_routing_key(raw: object) -> str:
    try:
        return routing_key.check(raw)
    except ValueError as error:
        raise refuse(raw, str(error)) from error


def _read_table_name(raw: object) -> str:
    if isinstance(raw, str) and _TABLE_NAME.fullmatch(raw):
        return raw
    raise refuse(raw)


def _read_secret(raw: object) -> str:
    if isinstance(raw, str) and raw:
        return raw
    raise ConfigurationError(Problem(message="wrong value", value=type(raw).__name__))


def _read_secrets(raw: object) -> dict[str, str]:
    if isinstance(raw, Mapping) and all(
        isinstance(item, str) and item for pair in raw.items() for item in pair
    ):
        return dict(raw)
    raise ConfigurationError(Problem(message="wrong value", value=type(raw).__name__))


FILE_NAME = Kind("name", "letters, digits, dots, - and _", _read_file_name, lambda value: value)
TYPES = Kind(
    "list of record types",
    f"record types: {', '.join(sorted(_RECORD_TYPES))}",
    _read_types,
    lambda value: str(sorted(value)),
)
DOMAINS = Kind(
    "list of domains",
    "domains, such as example.com or *.example.com",
    _read_domains,
    lambda value: str([*value]),
)
WORD = Kind("str", "a name", _read_word)
ROUTING_KEY = Kind("template", routing_key.EXPECTED, _read_routing_key)
TABLE_NAME = Kind(
    "table name",
    "a name of small letters, digits and _, perhaps with a schema and a dot in front",
    _read_table_name,
)
# What is read as one of these is shown nowhere.
SECRET = Kind(
    "secret", "text that is not empty", _read_secret, lambda value: "***" if value else ""
)
SECRETS = Kind("table of secrets", "a table of text", _read_secrets, lambda value: str([*value]))

"""Entries of the rules as a person would write them in TOML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener_domain import OPTIONS, ListenerDomain, ReportDisposition
from kumo_handlers.policy.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Iterable


def block(section: str, key: str, options: Iterable[tuple[str, object]]) -> tuple[str, ...]:
    """The lines of one entry: its header, and an option a line."""
    header = str(Found(ListenerDomain(), key, section))
    return (header, *(f"{name} = {value(given)}" for name, given in options))


def options_of(entry: ListenerDomain) -> dict[str, object]:
    """The options of an entry that are not as they are by default."""
    given = {name: getattr(entry, name) for name, option in OPTIONS.items() if option.effect}
    return {name: each for name, each in given.items() if each != OPTIONS[name].default}


def value(given: object) -> str:
    """The value of an option, in TOML's spelling."""
    if isinstance(given, Networks):
        return _listed(given.blocks)
    if isinstance(given, frozenset):
        return _listed(sorted(given))
    if given is ReportDisposition.LOG or given is ReportDisposition.IGNORE:
        return value(given is ReportDisposition.LOG)
    if isinstance(given, bool):
        return "true" if given else "false"
    return quoted(str(given.value if isinstance(given, ReportDisposition) else given))


def _listed(items: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, items))}]"


def quoted(text: str) -> str:
    """A basic string. TOML escapes as JSON does, and DEL too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

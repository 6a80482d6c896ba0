"""What is true of every regular expression of this wing: strangers write what they are fed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from re import _parser as parser
from typing import Any

import pytest

import kumo_handlers.reports


def patterns() -> dict[str, re.Pattern[Any]]:
    """All patterns that stand in the modules, by name."""
    package = kumo_handlers.reports
    names = [each.name for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    return {
        f"{name.removeprefix(package.__name__)}.{key}": value
        for name in names
        for key, value in vars(importlib.import_module(name)).items()
        if isinstance(value, re.Pattern)
    }


def groups_within(parsed: Any, *, is_possessive: bool = False) -> bool:
    """Whether a group captures within a possessive repetition or an atomic group."""
    if isinstance(parsed, parser.SubPattern):
        return any(_of(op, value, is_possessive=is_possessive) for op, value in parsed.data)
    if isinstance(parsed, tuple | list):
        return any(groups_within(each, is_possessive=is_possessive) for each in parsed)
    return False


def _of(op: object, value: Any, *, is_possessive: bool) -> bool:
    if is_possessive and op is parser.SUBPATTERN and value[0] is not None:
        return True
    inside = is_possessive or op in (parser.POSSESSIVE_REPEAT, parser.ATOMIC_GROUP)
    return groups_within(value, is_possessive=inside)


@pytest.mark.parametrize("pattern", patterns().values(), ids=patterns())
def test_no_group_captures_within_what_is_possessive(pattern: re.Pattern[Any]) -> None:
    """CPython 3.11 raises SystemError for some inputs then, though not for all."""
    parsed = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    assert not groups_within(parsed)


def test_the_check_can_fail() -> None:
    """The check sees what it is for."""
    assert groups_within(parser.parse("(?:a(b))*+"))
    assert not groups_within(parser.parse("((?:ab)*+)"))

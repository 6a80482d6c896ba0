"""What is true of every regular expression of the package: strangers write what they are fed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from re import _constants as constants
from re import _parser as parser
from typing import Any

import pytest

import kumo_handlers

ONE = {constants.LITERAL, constants.NOT_LITERAL, constants.IN, constants.ANY}
REPEATED = {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}
POSSESSIVE = {constants.POSSESSIVE_REPEAT, constants.ATOMIC_GROUP}


def patterns() -> dict[str, re.Pattern[Any]]:
    """All patterns that stand in the modules, alone or in tables, by name."""
    names = [each.name for each in pkgutil.walk_packages(kumo_handlers.__path__, "kumo_handlers.")]
    return {
        f"{name.removeprefix('kumo_handlers.')}.{key}{number or ''}": pattern
        for name in names
        if not name.endswith("__main__")
        for key, value in vars(importlib.import_module(name)).items()
        for number, pattern in enumerate(values(value))
        if isinstance(pattern, re.Pattern)
    }


def values(given: object) -> list[object]:
    """What a table holds; anything else as it is."""
    if isinstance(given, dict):
        return list(given.values())
    return list(given) if isinstance(given, tuple | list) else [given]


def possessive_within(parsed: Any) -> list[Any]:
    """What is repeated possessively, or atomic, anywhere in an expression: the bodies."""
    if not isinstance(parsed, parser.SubPattern | tuple | list):
        return []
    if isinstance(parsed, tuple) and len(parsed) == 2 and parsed[0] in POSSESSIVE:
        body = parsed[1] if parsed[0] is constants.ATOMIC_GROUP else parsed[1][2]
        return [body, *possessive_within(body)]
    return [found for each in parsed for found in possessive_within(each)]


def captures(parsed: Any) -> bool:
    """Whether a group captures within."""
    if isinstance(parsed, tuple) and parsed and parsed[0] is constants.SUBPATTERN:
        return parsed[1][0] is not None or captures(parsed[1][3])
    if isinstance(parsed, parser.SubPattern | tuple | list):
        return any(captures(each) for each in parsed)
    return False


def stays(body: Any) -> bool:
    """Whether a repetition of ``body`` that fails stays where it began, in every CPython.

    CPython before 3.11.5 goes on from wherever the attempt had last looked back: so nothing may
    fail behind a repetition, a choice or a look-around that is not the very first.
    """
    items = list(body)
    if len(items) == 1 and items[0][0] is constants.BRANCH:
        return all(stays(each) for each in items[0][1][1])
    if not items:
        return True
    *before, last = items
    if before and repeats_one(before[0]):
        # One that gives back what it took ends where it began only if it may take nothing.
        is_possessive = before[0][0] is constants.POSSESSIVE_REPEAT
        if not is_possessive and (before[0][1][0] > 0 or len(before) > 1):
            return False
        before = before[1:]
    return all(each[0] in ONE for each in before) and is_simple(last)


def is_simple(item: Any) -> bool:
    """One character, or what may be there any number of times, and never fails."""
    op, value = item
    if op in ONE:
        return True
    if op not in REPEATED or value[0] > 0:
        return False
    return repeats_one(item) or (op is constants.POSSESSIVE_REPEAT and stays(value[2]))


def repeats_one(item: Any) -> bool:
    """Whether it is some single character several times."""
    op, value = item
    return op in REPEATED and len(value[2]) == 1 and value[2][0][0] in ONE


FOUND = {
    name: possessive_within(parser.parse(each.pattern, each.flags & ~re.DEBUG))
    for name, each in patterns().items()
}


@pytest.mark.parametrize("bodies", FOUND.values(), ids=FOUND)
def test_possessive_repetitions(bodies: list[Any]) -> None:
    """They hold no group that captures, which is a SystemError in CPython 3.11; and they stay."""
    for body in bodies:
        assert not captures(body)
        assert stays(body)


@pytest.mark.parametrize(
    ("pattern", "is_safe"),
    [
        ("(?:a(b))*+", False),
        ("((?:ab)*+)", True),
        (r"(?:\n[ \t][^\n]*+)*+", True),
        (r"(?:\r*+\n[ \t])*+", True),
        (r"(?:\r*+\n[ \t]++)*+", False),
        (r"(?:[^\n]*+\n)*+", True),
        (r"(?:x[^\n]*+\n)*+", False),
        (r"(?:(?!x)y)*+", False),
        (r"(?:a|\r?\n(?=b))*+", False),
        (r'(?:[^"\\]|\\.)*+', True),
        (r"(?:[\w-]{0,62}\w)?+", True),
        (r"(?:[\w-]{0,62}\w\.)?+", False),
        (r"(?:[\w-]{1,62}\w)?+", False),
        (r"(?:\.\w(?:[\w-]{0,62}\w)?+){0,30}+", True),
        ("(?>a*b)", True),
        ("(?>ab*c)", False),
    ],
)
def test_the_check_can_fail(pattern: str, is_safe: bool) -> None:  # noqa: FBT001 - a parameter
    """The check sees what it is for."""
    bodies = possessive_within(parser.parse(pattern))
    assert all(stays(body) and not captures(body) for body in bodies) is is_safe

"""Domains one slip of the finger away from another."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

from kumo_handlers.policy.advice.subject import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kumo_handlers.policy.advice.subject import Subject
    from kumo_handlers.policy.base import Found

_DIGITS = re.compile(r"[0-9]+")
# Short names are one letter apart from each other all the time, and right.
_SHORTEST = 5
# So many names that share so much are a way of naming, of which no more needs to be seen.
_CROWD = 10


def one_letter_apart(subject: Subject) -> Iterator[Finding]:
    """One letter more, one less, another one, or two of them swapped."""
    entries: dict[str, Found] = {}
    for found in subject.entries:
        entries.setdefault(found.key.removeprefix("*."), found)
    for name, other in pairs(name for name in entries if name[0] not in "[*"):
        found = entries[name]
        yield Finding(
            f"is one slip away from {other}",
            found.key,
            found.section,
            hint="if it is misspelt, mail for the right name finds no entry here",
        )


def pairs(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that are one slip apart, the later one first.

    Two such names share what is left of them when a letter is taken out of one, or of both. So
    each name is filed under all it can be shortened to, and the time is linear in their number.
    Names that differ only in their digits are one series, not a slip.
    """
    shortened: dict[int, str] = {}
    crowds: dict[int, list[str]] = {}
    spelt: dict[str, str] = {}
    for original in names:
        name = _DIGITS.sub("0", original)
        if spelt.setdefault(name, original) is not original:
            continue
        if len(name.partition(".")[0]) < _SHORTEST:
            continue
        for variant in _variants(name):
            first = shortened.setdefault(variant, name)
            if first is not name:
                crowds.setdefault(variant, [first]).append(name)
    seen = set()
    for crowd in crowds.values():
        for earlier, name in combinations(crowd[:_CROWD], 2):
            if (name, earlier) not in seen and _one_slip(name, earlier):
                seen.add((name, earlier))
                yield spelt[name], spelt[earlier]


def _variants(name: str) -> set[int]:
    """Hashes of the name, and of the name without each of its letters."""
    shorter = {hash(name[:at] + name[at + 1 :]) for at in range(len(name))}
    shorter.add(hash(name))
    return shorter


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter more, less or another one, or two swapped, are all the difference."""
    if len(one) < len(other):
        one, other = other, one
    start = 0
    while start < len(other) and one[start] == other[start]:
        start += 1
    if len(one) > len(other):
        return one[start + 1 :] == other[start:]
    swapped = one[start : start + 2] == other[start : start + 2][::-1]
    return one[start + 1 :] == other[start + 1 :] or (
        swapped and one[start + 2 :] == other[start + 2 :]
    )

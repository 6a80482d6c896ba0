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
# Short labels are one letter apart from each other all the time, and right.
_SHORTEST = 5
# So many labels that share so much are a way of naming, of which no more needs to be seen.
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
    """Names of which one label is one slip away from that of the other, the later name first.

    Names that differ only in their digits are one series, not a slip.
    """
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(_DIGITS.sub("0", name), name)
    for name, other in _pairs(spelt):
        yield spelt[name], spelt[other]


def _pairs(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Slips in the first label, of names with the same rest; then slips further on."""
    families: dict[str, list[str]] = {}
    for name in names:
        label, _, rest = name.partition(".")
        families.setdefault(rest, []).append(label)
    for rest, labels in families.items():
        dot = "." if rest else ""
        for label, other in _slips(labels):
            yield f"{label}{dot}{rest}", f"{other}{dot}{rest}"
    families.pop("", None)
    if families:
        for rest, other in _pairs(families):
            known = set(families[other])
            yield from (
                (f"{label}.{rest}", f"{label}.{other}")
                for label in families[rest]
                if label in known
            )


def _slips(labels: list[str]) -> Iterator[tuple[str, str]]:
    """Labels that are one slip apart, the later one first.

    Two such labels share what is left of them when a letter is taken out of one, or of both. So
    each is filed under all it can be shortened to, and the time is linear in their number.
    """
    if len(labels) == 1:
        return
    shortened: dict[int, str] = {}
    crowds: dict[int, list[str]] = {}
    for label in labels:
        if len(label) >= _SHORTEST:
            for variant in _variants(label):
                first = shortened.setdefault(variant, label)
                if first is not label:
                    crowds.setdefault(variant, [first]).append(label)
    seen = set()
    for crowd in crowds.values():
        for earlier, label in combinations(crowd[:_CROWD], 2):
            if (label, earlier) not in seen and _one_slip(label, earlier):
                seen.add((label, earlier))
                yield label, earlier


def _variants(label: str) -> set[int]:
    """Hashes of a label, and of the label without each of its letters."""
    shorter = {hash(label[:at] + label[at + 1 :]) for at in range(len(label))}
    shorter.add(hash(label))
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

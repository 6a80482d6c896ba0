"""Regular expressions into trees: what is read, and what is refused with its place."""

from __future__ import annotations

import re

import pytest

from kumo_handlers.reports.expression import Chars, ExpressionError, Sequence, parse


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(a", "a ( without its )"),
        ("a)", "a ) without its ("),
        ("*a", "nothing to repeat"),
        ("a**", "a quantifier after a quantifier"),
        ("a{2,1}", "a repetition"),
        ("a{5000}", "a repetition"),
        ("(?=a)", "look-around"),
        ("(?<!a)", "look-around"),
        ("(?>a)", "look-around"),
        (r"(a)\1", "a back-reference"),
        (r"\p{L}", "an escape"),
        (r"\x{zz}", "no character"),
        ("[a", "ends too early"),
        ("[z-a]", "a range from z down to a"),
        ("[a&&b]", "an intersection"),
        ("[[:nope:]]", "is not known"),
        ("a\\", "ends too early"),
        ("(?P<name", "without its >"),
        ("(" * 60 + ")" * 60, "nested more than"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """What no automaton can decide, or nobody can mean, is refused with the place."""
    with pytest.raises(ExpressionError, match=re.escape(reason)) as caught:
        parse(text)
    assert "at character" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("[a-c]", "abc", "dA-"),
        ("[^a-c]", "dA", "abc"),
        ("[]a]", "]a", "b"),
        ("[a-]", "a-", "b"),
        (r"[\d_]", "0_", "a"),
        (r"[\W]", " .", "a1_"),
        (r"[\]\\]", "]\\", "a"),
        ("[[:alpha:]1]", "aZ1", "2_"),
        (r"\x41", "A", "a"),
        (r"\x{e9}", "é", "e"),
        ("(?i)[a-c]", "aBC", "dD"),
        ("(?i)x", "xX", "y"),
        (".", "a é", "\n"),
        ("(?s).", "a\n", ""),
        (r"\.", ".", "a"),
        (r"\t", "\t", "t"),
    ],
)
def test_sets(text: str, inside: str, outside: str) -> None:
    """Which characters a set, an escape, or a dot takes."""
    found = parse(text)
    if isinstance(found, Sequence):
        found = found.items[-1]
    assert isinstance(found, Chars)
    assert all(char in found for char in inside)
    assert not any(char in found for char in outside)

"""The automaton against Python's own engine, and against what makes that one slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import automaton
from kumo_handlers.reports.automaton import Automaton
from kumo_handlers.reports.expression import ExpressionError

atoms = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\W", r"\b", r"\B", "^", r"\Z", "(?i:B)", " "]
)


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.tuples(inner, inner).map("".join)
        | st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        )
    )


expressions = st.recursive(atoms, _combined, max_leaves=8)
texts = st.text(alphabet="abcB_ .é", min_size=1, max_size=12)


@given(st.lists(expressions, max_size=5), st.lists(texts, min_size=1, max_size=4))
def test_same_as_a_loop(several: list[str], asked: list[str]) -> None:
    """The first expression that is found is the one that a loop over Python's `re` finds."""
    together = Automaton(several)
    for text in asked:
        one_by_one = [number for number, each in enumerate(several) if re.search(each, text)]
        assert together.first(text) == (one_by_one[0] if one_by_one else None)


@pytest.mark.parametrize(
    "expression",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        "(.*)*x",
        ".*.*.*=.*",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "[ab]*a[ab]{90}c",
        "(?:a.{0,20}b|.{0,20}c)",
        "." * 190,
    ],
)
@pytest.mark.parametrize("text", ["a" * 512, "ab" * 256, "aab" * 170])
def test_no_expression_is_slow(expression: str, text: str) -> None:
    """What takes a backtracking engine for ever is a matter of milliseconds, the first time."""
    fastest = min(_seconds(expression, text) for _ in range(3))
    assert fastest < 0.05  # 10 ms on an idle machine; others may be running


def _seconds(expression: str, text: str) -> float:
    fresh = Automaton([expression])
    start = time.process_time()
    fresh.first(text)
    return time.process_time() - start


@pytest.mark.parametrize(
    "expression",
    ["(a{0,50}){0,50}b", "((((a{9}){9}){9}){9}){9}", "(){900}{9}", "." * 300, "a{200}"],
)
def test_what_would_be_too_large_is_refused(expression: str) -> None:
    """Repetitions multiply: what does not stay small is refused, and quickly."""
    with pytest.raises(ExpressionError):
        Automaton([expression])


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are forgotten when there are too many, and the answers stay the same."""
    monkeypatch.setattr(automaton, "MAX_MOVES", 50)
    found = Automaton(["needle", "a.*b", "b$"])
    for number in range(0x4E00, 0x4E00 + 500):
        assert found.first(f"{chr(number)} needle {chr(number)}") == 0
        assert found.first(f"a{chr(number)}b") == 1
    assert found._moves <= 51

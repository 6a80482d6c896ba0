"""One automaton for many expressions: which of them, the first in order, is found in a text.

A text is read once, from left to right, whatever the number of expressions: each character is
one look-up in the state it leads on from. States are made when a text first leads to them (a
lazily built deterministic automaton, after Thompson 1968), and forgotten when there are too many.
There is no backtracking, so no expression and no text can make it slow; what could make a single
state big, an expression of thousands of places, is refused when it is added.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import product
from typing import TYPE_CHECKING

from kumo_handlers.reports.expression import (
    Assertion,
    Chars,
    Choice,
    ExpressionError,
    Repeat,
    Sequence,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence as SequenceOf

    from kumo_handlers.reports.expression import Node

Places = frozenset[int]
# Places an expression may have. One that takes more than one character counts threefold, and one
# that stands in a repetition sixfold: a text can be at all of these at once, and this is what
# makes a state expensive.
MAX_PLACES = 600
WIDE = 3
COPY = 6
# Moves that are remembered, over all states; a move takes about 200 bytes.
MAX_MOVES = 50_000
NOTHING = 1 << 62
NOWHERE: Places = frozenset()


class Side(IntEnum):
    """What stands beside a place, which decides ``^``, ``$`` and a word's edge."""

    NONE = 0
    WORD = 1
    OTHER = 2


def _side(char: str) -> Side:
    return Side.WORD if char.isalnum() or char == "_" else Side.OTHER


def _holds(kind: str, before: Side, after: Side) -> bool:
    if kind == "^":
        return before is Side.NONE
    if kind == "$":
        return after is Side.NONE
    return ((before is Side.WORD) is not (after is Side.WORD)) is (kind == "b")


class _State(dict[str, "_State"]):
    """Where a text may stand in all expressions at once, and where each character leads from here.

    ``rule`` was found on the way here.
    """

    __slots__ = ("at_end", "before", "made_by", "places", "rule")

    def __init__(self, made_by: Automaton, places: Places, before: Side, rule: int) -> None:
        super().__init__()
        self.made_by = made_by
        self.places = places
        self.before = before
        self.rule = rule
        self.at_end = -1

    def __missing__(self, char: str) -> _State:
        return self.made_by.move(self, char)


class Automaton:
    """All of ``expressions``, to be looked for at once. Raises `ExpressionError`."""

    def __init__(self, expressions: Iterable[str]) -> None:
        self._program = _Program()
        for rule, each in enumerate(expressions):
            self._program.add(each, rule)
        self._program.close()
        self._entered: dict[tuple[Side, str], tuple[Places, int]] = {}
        self._forget()

    def first(self, text: str) -> int | None:
        """The number of the first expression that is found anywhere in ``text``."""
        state, best = self._initial, NOTHING
        for char in text:
            state = state[char]
            if state.rule < best:  # noqa: PLR1730 - min() takes as long as the look-up
                best = state.rule
        best = min(best, self._end(state))
        return None if best == NOTHING else best

    def _forget(self) -> None:
        self._program.forget()
        self._entered = {}
        self._states: dict[tuple[Places, Side, int], _State] = {}
        self._moves = 0
        self._initial = _State(self, NOWHERE, Side.NONE, NOTHING)

    def move(self, state: _State, char: str) -> _State:
        """The state that ``char`` leads to, made and remembered."""
        if self._moves >= MAX_MOVES:
            self._forget()
        self._moves += 1
        after = _side(char)
        places, passed = self._program.resolved(state.places, state.before, after)
        reached, rule = self._program.step(places, char)
        entered, at_once = self._enter(state.before, char, after)
        key = reached | entered, after, min(passed, rule, at_once)
        following = self._states.get(key)
        if following is None:
            following = self._states[key] = _State(self, *key)
        state[char] = following
        return following

    def _enter(self, before: Side, char: str, after: Side) -> tuple[Places, int]:
        """Where the expressions that begin at ``char`` stand behind it."""
        key = before, char
        if key not in self._entered:
            places, passed = self._program.opened(before, after)
            reached, rule = self._program.step(places, char)
            self._entered[key] = reached, min(passed, rule)
        return self._entered[key]

    def _end(self, state: _State) -> int:
        """The first rule that is found because the text ends here."""
        if state.at_end < 0:
            _, passed = self._program.resolved(state.places, state.before, Side.NONE)
            state.at_end = min(passed, self._program.opened(state.before, Side.NONE)[1])
        return state.at_end


class _Program:
    """The places of all expressions: each takes a character, forks, asserts, or is an end.

    From a place that takes a character the text goes on to its followers: what is reached from
    there without a character. Assertions are places to wait at as well, until the next character
    is known.
    """

    def __init__(self) -> None:
        self._then: list[SequenceOf[int]] = []
        self._asserts: dict[int, str] = {}
        self._asserting: Places = NOWHERE
        self._ends: dict[int, int] = {}
        self._takers: dict[Chars, set[int]] = {}
        self._taking: set[int] = set()
        self._starts: list[int] = []
        self._room = 0
        self._weight = 1
        self.forget()

    def forget(self) -> None:
        """Drop what was remembered about characters and sides."""
        self._takers_of: dict[str, Places] = {}
        self._followers: dict[int, tuple[Places, int]] = {}
        self._opened: dict[tuple[Side, Side], tuple[Places, int]] = {}
        self._passed: dict[tuple[Side, Side], dict[int, tuple[Places, int]]] = {
            sides: {} for sides in product(Side, Side)
        }

    def add(self, text: str, rule: int) -> None:
        """Add one expression, which is found where its end is reached."""
        self._room, self._weight = MAX_PLACES, 1
        end = self._place()
        self._ends[end] = rule
        self._starts.append(self._build(parse(text), end))

    def close(self) -> None:
        """Nothing more will be added."""
        self._asserting = frozenset(self._asserts)

    def _place(self, then: SequenceOf[int] = ()) -> int:
        self._then.append(then)
        return len(self._then) - 1

    def _build(self, node: Node, then: int) -> int:
        """The place where ``node`` begins, ``then`` being where it leads to."""
        wide = isinstance(node, Chars) and not node.is_single
        self._room -= max(self._weight, WIDE) if wide else self._weight
        if self._room < 0:
            raise ExpressionError("it is too large, its repetitions written out")
        if isinstance(node, Chars):
            place = self._place((then,))
            self._takers.setdefault(node, set()).add(place)
            self._taking.add(place)
            return place
        if isinstance(node, Assertion):
            place = self._place((then,))
            self._asserts[place] = node.kind
            return place
        if isinstance(node, Choice):
            return self._place([self._build(option, then) for option in node.options])
        if isinstance(node, Sequence):
            for item in reversed(node.items):
                then = self._build(item, then)
            return then
        return self._repeated(node, then)

    def _repeated(self, node: Repeat, then: int) -> int:
        weight = self._weight
        if (node.high or node.low) > 1:
            self._weight = COPY
        if node.high is None:
            ways = [then]
            start = self._place(ways)
            ways.append(self._build(node.item, start))
        else:
            start = then
            for _ in range(node.high - node.low):
                start = self._place((self._build(node.item, start), then))
        for _ in range(node.low):
            start = self._build(node.item, start)
        self._weight = weight
        return start

    def step(self, places: Places, char: str) -> tuple[Places, int]:
        """Where those of ``places`` lead that take ``char``, and the first rule that ends there."""
        taken = self._takers_of.get(char)
        if taken is None:
            sets = [where for chars, where in self._takers.items() if char in chars]
            taken = self._takers_of[char] = NOWHERE.union(*sets)
        active = places & taken
        if not active:
            return NOWHERE, NOTHING
        known = self._followers
        led = [known.get(place) or self._follow(place) for place in active]
        return NOWHERE.union(*[to for to, _ in led]), min([rule for _, rule in led])

    def _follow(self, place: int) -> tuple[Places, int]:
        found = self._followers[place] = self._reached(self._then[place], None)
        return found

    def opened(self, before: Side, after: Side) -> tuple[Places, int]:
        """Where every expression may begin between two sides."""
        key = before, after
        if key not in self._opened:
            self._opened[key] = self._reached(self._starts, key)
        return self._opened[key]

    def resolved(self, places: Places, before: Side, after: Side) -> tuple[Places, int]:
        """``places`` with their assertions decided, and the first rule that ends behind one."""
        waiting = places & self._asserting
        if not waiting:
            return places, NOTHING
        sides = before, after
        led = [self._pass(place, sides) for place in waiting]
        rule = min([rule for _, rule in led])
        return (places - waiting).union(*[to for to, _ in led]), rule

    def _pass(self, place: int, sides: tuple[Side, Side]) -> tuple[Places, int]:
        """What an assertion lets through between two sides."""
        known = self._passed[sides]
        found = known.get(place)
        if found is None:
            found = known[place] = self._reached((place,), sides)
        return found

    def _reached(
        self, places: Iterable[int], sides: tuple[Side, Side] | None
    ) -> tuple[Places, int]:
        """What is reached without a character; assertions wait where ``sides`` is None."""
        rule = NOTHING
        todo = list(places)
        seen = set(todo)
        waiting = set()
        while todo:
            place = todo.pop()
            kind = self._asserts.get(place)
            if place in self._taking or (kind and sides is None):
                waiting.add(place)
                continue
            rule = min(rule, self._ends.get(place, NOTHING))
            if kind and sides is not None and not _holds(kind, *sides):
                continue
            fresh = [each for each in self._then[place] if each not in seen]
            seen.update(fresh)
            todo += fresh
        return frozenset(waiting), rule

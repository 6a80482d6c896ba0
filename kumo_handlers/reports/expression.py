"""Regular expressions, read into a tree: the language that KumoMTA's rule files use.

That is the part of the syntax which Rust's ``regex`` crate and Python's ``re`` share: what a
finite automaton can decide in one pass. Back-references and look-around are refused, being what
makes other engines slow on hostile text. Groups only group; a lazy quantifier finds what a greedy
one finds.
"""

from __future__ import annotations

from typing import NoReturn

import msgspec

MAX_DEPTH = 50
MAX_REPEAT = 1000

_CLASSES = {
    "d": str.isdecimal,
    "w": lambda char: char.isalnum() or char == "_",
    "s": str.isspace,
}
_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": " \t\n\r\f\v",
    "punct": "!-/:-@\\[-`{-~",
    "xdigit": "0-9a-fA-F",
}
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_ASSERTIONS = {"b": "b", "B": "B", "A": "^", "z": "$", "Z": "$"}


class ExpressionError(ValueError):
    """An expression that cannot be used, and why."""


class Chars(msgspec.Struct, frozen=True):
    """One character of a set: ranges, and classes by their letter (``D`` is all but ``d``)."""

    ranges: tuple[tuple[str, str], ...] = ()
    classes: str = ""
    negated: bool = False
    fold: bool = False

    def __contains__(self, char: str) -> bool:
        found = self._has(char)
        if not found and self.fold:
            found = self._has(char.lower()) or self._has(char.upper())
        return found is not self.negated

    @property
    def is_single(self) -> bool:
        """Whether only one character is in it, case aside."""
        one = len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]
        return one and not self.classes and not self.negated

    def _has(self, char: str) -> bool:
        if any(low <= char <= high for low, high in self.ranges):
            return True
        return any(_CLASSES[name.lower()](char) is name.islower() for name in self.classes)


class Assertion(msgspec.Struct, frozen=True):
    """A place and no character: ``^``, ``$``, ``b`` (a word's edge) or ``B`` (none)."""

    kind: str


class Sequence(msgspec.Struct, frozen=True):
    """One after the other; the empty sequence matches nothing at all."""

    items: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True):
    """Any one of these."""

    options: tuple[Node, ...]


class Repeat(msgspec.Struct, frozen=True):
    """``low`` to ``high`` times, ``high`` being None for any number."""

    item: Node
    low: int
    high: int | None


Node = Chars | Assertion | Sequence | Choice | Repeat

_ANY = Chars((("\n", "\n"),), negated=True)
_ANY_AND_LINE_FEED = Chars((), negated=True)


def parse(text: str) -> Node:
    """The tree of one expression. Raises `ExpressionError` with the place and the reason."""
    return _Parser(text).whole()


class _Parser:
    """Recursive descent: each method reads what it is named after and stands behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.fold = False
        self.dot_all = False

    def whole(self) -> Node:
        found = self.choice()
        if self.at < len(self.text):
            self.fail("a ) without its (")
        return found

    def fail(self, reason: str) -> NoReturn:
        raise ExpressionError(f"{reason}, at character {min(self.at, len(self.text)) + 1}")

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if not self.peek(text):
            return False
        self.at += len(text)
        return True

    def next(self) -> str:
        if self.at >= len(self.text):
            self.fail("the expression ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def choice(self) -> Node:
        options = [self.sequence()]
        while self.take("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Node:
        items: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            items.append(self.quantified(self.atom()))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def quantified(self, item: Node) -> Node:
        bounds = self.quantifier()
        if bounds is None:
            return item
        self.take("?")
        repeated = Repeat(item, *bounds)
        if self.quantifier() is not None:
            self.fail("a quantifier after a quantifier")
        return repeated

    def quantifier(self) -> tuple[int, int | None] | None:
        if self.take("*"):
            return 0, None
        if self.take("+"):
            return 1, None
        if self.take("?"):
            return 0, 1
        return self.counted() if self.peek("{") else None

    def counted(self) -> tuple[int, int | None] | None:
        """``{2}``, ``{2,}``, ``{2,5}``; any other brace is a character."""
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : max(end, 0)].partition(",")
        if end < 0 or not low.isdecimal() or not (high.isdecimal() or not high):
            return None
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            self.fail(f"a repetition of {low} to {high or 'any'}, the limit is {MAX_REPEAT}")
        self.at = end + 1
        return least, most

    def atom(self) -> Node:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return self.set()
        if char == ".":
            return _ANY_AND_LINE_FEED if self.dot_all else _ANY
        if char in "^$":
            return Assertion(char)
        if char == "\\":
            return self.escape()
        if char in "*+?":
            self.fail("nothing to repeat")
        return self.literal(char)

    def literal(self, char: str) -> Chars:
        return Chars(((char, char),), fold=self.fold)

    def group(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"groups are nested more than {MAX_DEPTH} deep")
        before = self.fold, self.dot_all
        if self.take("?") and self.flags_only():
            self.depth -= 1
            return Sequence(())
        found = self.choice()
        if not self.take(")"):
            self.fail("a ( without its )")
        self.fold, self.dot_all = before
        self.depth -= 1
        return found

    def flags_only(self) -> bool:
        """Read what follows ``(?``; whether that was all, as in ``(?i)``."""
        if self.take(":"):
            return False
        if self.take("P<") or (self.peek("<") and not self.peek("<=") and not self.peek("<!")):
            end = self.text.find(">", self.at)
            if end < 0:
                self.fail("a group's name without its >")
            self.at = end + 1
            return False
        wanted = True
        while (char := self.next()) not in ":)":
            if char == "-":
                wanted = False
            elif char == "i":
                self.fold = wanted
            elif char == "s":
                self.dot_all = wanted
            else:
                self.fail("look-around, atomic groups and other flags than i and s are not known")
        return char == ")"

    def escape(self) -> Node:
        char = self.next()
        if char in _ASSERTIONS:
            return Assertion(_ASSERTIONS[char])
        if char in "dDwWsS":
            return Chars(classes=char)
        return self.literal(self.escaped(char))

    def escaped(self, char: str) -> str:
        """The character that a backslash and ``char`` stand for."""
        if char in _CONTROL:
            return _CONTROL[char]
        if char == "x":
            return self.hexadecimal()
        if char.isalnum():
            self.fail("a back-reference" if char.isdecimal() else f"an escape \\{char}")
        return char

    def hexadecimal(self) -> str:
        braced = self.take("{")
        end = self.text.find("}", self.at) if braced else self.at + 2
        digits = self.text[self.at : max(end, 0)]
        try:
            char = chr(int(digits, 16))
        except (ValueError, OverflowError):
            self.fail("no character has this number")
        self.at = end + 1 if braced else end
        return char

    def set(self) -> Chars:
        negated = self.take("^")
        ranges: list[tuple[str, str]] = []
        classes = ""
        first = True
        while first or not self.peek("]"):
            first = False
            if self.take("[:"):
                ranges += self.posix()
                continue
            if self.peek("&&"):
                self.fail("an intersection of sets")
            low = self.next()
            if low == "\\":
                low = self.next()
                if low in "dDwWsS":
                    classes += low
                    continue
                low = self.escaped(low)
            ranges.append((low, self.range_end(low)))
        self.at += 1
        return Chars(tuple(ranges), classes, negated, self.fold)

    def range_end(self, low: str) -> str:
        if not self.peek("-") or self.peek("-]"):
            return low
        self.at += 1
        high = self.next()
        if high == "\\":
            high = self.escaped(self.next())
        if high < low:
            self.fail(f"a range from {low} down to {high}")
        return high

    def posix(self) -> tuple[tuple[str, str], ...]:
        end = self.text.find(":]", self.at)
        name = self.text[self.at : max(end, 0)]
        if name not in _POSIX:
            self.fail("a class between [: and :] that is not known")
        self.at = end + 2
        return _Parser(_POSIX[name] + "]").set().ranges

"""Why a message bounced, in one word: rule files that map a reply's text to a class.

The files are KumoMTA's: TOML or JSON, ``[rules]`` with a list of regular expressions for each
class, looked for in ``CODE ENHANCED TEXT``. Any number of files are merged; the first rule that
is found decides, in the order in which files and rules are given, the file of this package last.
What no rule knows is `UNCATEGORIZED`.

All expressions together are one automaton, which reads each character of a text once, and no
more than `MAX_TEXT` of them.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import tomli

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.reports.automaton import Automaton
from kumo_handlers.reports.expression import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNCATEGORIZED = "Uncategorized"
# RFC 5321, 4.5.3.1.5: the longest reply line. What a server has to say comes first.
MAX_TEXT = 512
# KumoMTA's default. Replies repeat, save for those that quote an address.
CACHED = 1024
OUR_FILE = Path(__file__).with_name("classification.toml")


class Rule(msgspec.Struct, frozen=True):
    """One expression of one class, and where it is written."""

    class_: str
    expression: str
    file: str = ""
    line: int | None = None


class Classifier:
    """Rules, made into one automaton. Raises `ConfigurationError` with each that is no good."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        try:
            self._automaton = Automaton(rule.expression for rule in self._rules)
        except ExpressionError as error:
            raise ConfigurationError(list(_unusable(self._rules))) from error
        self._remembered = lru_cache(CACHED)(self._classify)

    def classify(self, line: str) -> str:
        """The class of ``CODE ENHANCED TEXT``."""
        return self._remembered(line[:MAX_TEXT])

    def rule_for(self, line: str) -> Rule | None:
        """The rule that decides, for whoever asks why."""
        found = self._automaton.first(line[:MAX_TEXT])
        return None if found is None else self._rules[found]

    def _classify(self, line: str) -> str:
        rule = self.rule_for(line)
        return UNCATEGORIZED if rule is None else rule.class_


@cache
def default() -> Classifier:
    """The rules of this package alone; read once."""
    return load(())


def load(paths: Iterable[str | Path]) -> Classifier:
    """The rules of ``paths``, in their order, before those of this package.

    Raises `ConfigurationError` with every problem of every file.
    """
    rules: list[Rule] = []
    problems: list[Problem] = []
    for path in (*map(Path, paths), OUR_FILE):
        try:
            rules += read(path.read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(message=f"cannot be read: {error}", file=str(path)))
        except ConfigurationError as error:
            problems += error.problems
    try:
        classifier = Classifier(rules)
    except ConfigurationError as error:
        problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return classifier


def read(text: str, file: str) -> list[Rule]:
    """The rules of one file's ``text``, TOML, or JSON where its name ends in ``.json``.

    Raises `ConfigurationError` where the text is not of that shape.
    """
    try:
        table = msgspec.json.decode(text) if file.endswith(".json") else tomli.loads(text)
    except (tomli.TOMLDecodeError, msgspec.DecodeError) as error:
        raise ConfigurationError(Problem(message=str(error), file=file)) from error
    rules = table.get("rules") if isinstance(table, dict) else None
    if not isinstance(rules, dict) or len(table) > 1:
        found = ", ".join(map(repr, table)) or "nothing" if isinstance(table, dict) else repr(table)
        raise ConfigurationError(
            Problem(message="no rule file", file=file, value=found, expected="one table, [rules]")
        )
    if problems := [problem for name in rules if (problem := _misshapen(name, rules[name], file))]:
        raise ConfigurationError(problems)
    lines = text.splitlines()
    return [
        Rule(name, expression, file, _line_of(name, expression, lines))
        for name, expressions in rules.items()
        for expression in expressions
    ]


def _misshapen(name: str, expressions: object, file: str) -> Problem | None:
    """What is wrong with one class's value, without looking into the expressions."""
    if isinstance(expressions, list) and all(isinstance(each, str) for each in expressions):
        return None
    return Problem(
        message="no list of expressions",
        file=file,
        option=f"class {name}",
        value=repr(expressions),
        expected="a list of strings",
    )


def _unusable(rules: Iterable[Rule]) -> Iterator[Problem]:
    """A problem for each expression that is none, or that would make the automaton slow."""
    for rule in rules:
        try:
            Automaton((rule.expression,))
        except ExpressionError as error:
            yield Problem(
                message=str(error),
                file=rule.file or None,
                line=rule.line,
                option=f"class {rule.class_}",
                value=rule.expression,
                expected="a regular expression without look-around and back-references",
            )


def _line_of(name: str, expression: str, lines: list[str]) -> int | None:
    """Where an expression is written, as a literal or as a basic string; TOML does not tell."""
    start = next(
        (at for at, line in enumerate(lines) if re.match(rf"\W*{re.escape(name)}\b", line)), 0
    )
    spellings = (expression, msgspec.json.encode(expression).decode()[1:-1])
    for at, line in enumerate(lines[start:], start + 1):
        if any(spelling in line for spelling in spellings):
            return at
    return None


NO_RULES = Classifier(())

"""Where in a settings module a setting is given: Python tells values, and no lines.

This runs only when there is something to point at. What is computed rather than written there
has no line of its own: then the line is that of what was written around it, or there is none.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kumo_handlers.errors import Problem

_STEP = re.compile(r"[^.\[\]]+")
_BLOCKS = (ast.If, ast.Try, ast.With)


def located(problems: Iterable[Problem], file: str | None) -> tuple[Problem, ...]:
    """The problems of the settings in ``file``, each with the line of its option, where found."""
    text = _read(file) if file is not None else ""
    return tuple(
        replace(problem, line=find(text, problem.option))
        if problem.file == file and problem.line is None and problem.option is not None
        else problem
        for problem in problems
    )


def find(text: str, option: str) -> int | None:
    """The line of ``option``, such as ``listeners[2].hostname``, in the text of a module."""
    name, *steps = _STEP.findall(option) or [""]
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    # The last one counts, as it does for Python.
    given = [each for each in _assignments(module.body) if name in _names(each)]
    if not given:
        return None
    line, value = given[-1].lineno, given[-1].value
    for step in steps:
        inner = _within(value, step)
        if inner is None:
            break
        line, value = inner
    return line


def _assignments(body: Iterable[ast.stmt]) -> Iterator[ast.Assign | ast.AnnAssign]:
    """Those of a module, as far as they set something of the module itself."""
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            yield statement
        elif isinstance(statement, _BLOCKS):
            yield from _assignments(statement.body)
            yield from _assignments(getattr(statement, "orelse", ()))


def _names(assignment: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = assignment.targets if isinstance(assignment, ast.Assign) else [assignment.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _within(value: ast.expr | None, step: str) -> tuple[int, ast.expr] | None:
    """The line and the value of what ``step`` names in a list, counted from 1, or in a table."""
    for name, line, inner in _entries(value):
        if name == step:
            return line, inner
    return None


def _entries(value: ast.expr | None) -> Iterator[tuple[str, int, ast.expr]]:
    """What a display or a call is made of, as far as it is written there."""
    if isinstance(value, ast.List | ast.Tuple):
        for number, item in enumerate(value.elts, 1):
            yield str(number), item.lineno, item
    elif isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), key.lineno, item
    elif isinstance(value, ast.Call):
        for keyword in value.keywords:
            yield keyword.arg or "", keyword.value.lineno, keyword.value


def _read(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, ValueError):
        return ""

"""A problem as a compiler shows it: the place, the line as it stands there, a hint.

config/listener_domains.toml:12: warning: domain *, option relay_to: … [open-relay-to]
12 | relay_to = true
= hint: name the domains you take mail for
"""

from __future__ import annotations

import linecache
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.errors import Problem

_COLOURS = {"error": "red", "warning": "yellow"}


def lines(problem: Problem, severity: str, kind: str = "") -> Iterator[str]:
    """The lines of one problem. ``severity`` is ``error`` or ``warning``."""
    place = ":".join(str(part) for part in (problem.file, problem.line) if part is not None)
    said = str(replace(problem, file=None, line=None, hint=None))
    label = click.style(f"{severity}:", fg=_COLOURS[severity], bold=True)
    yield " ".join(
        part for part in (place and f"{place}:", label, said, kind and f"[{kind}]") if part
    )
    # A settings module is not shown: secrets stand in it.
    if problem.file and problem.line and not problem.file.endswith(".py"):
        linecache.checkcache(problem.file)
        text = linecache.getline(problem.file, problem.line).rstrip()
        if text:
            yield f"{problem.line:>5} | {text}"
    if problem.hint:
        yield f"      = hint: {problem.hint}"

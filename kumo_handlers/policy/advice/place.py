"""Where a finding stands: file and line of the option, or at least of its entry."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.errors import Problem
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener_domain import ListenerDomain

if TYPE_CHECKING:
    from kumo_handlers.policy.advice.subject import Finding, Subject

# The options of an entry follow its header; they are not searched for further than this.
_FAR = 50
_HEADER = re.compile(r"\s*\[")


def place(subject: Subject, finding: Finding, file: str | None = None) -> Problem:
    """The finding as a problem that says where it is; ``file`` is where listeners stand."""
    line = None
    if finding.key:
        found = Found(ListenerDomain(), finding.key, finding.section)
        origin = subject.policy.origin(found).rpartition(", ")[2]
        file, _, number = origin.rpartition(":")
        file, line = (file, int(number)) if number.isdigit() else (origin or None, None)
    if file and line and finding.option:
        line = _option_line(file, line, finding.option)
    domain = f"{finding.key} of listener {finding.section}" if finding.section else finding.key
    return Problem(
        message=finding.message,
        file=file,
        line=line,
        domain=domain or None,
        option=finding.option,
        hint=finding.hint,
    )


def _option_line(file: str, entry: int, option: str) -> int:
    """The line of an option, where it has one of its own; else that of its entry."""
    says = re.compile(rf"\s*[\"']?{option}[\"']?\s*[=:]")
    with Path(file).open(encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(islice(lines, entry, entry + _FAR), entry + 1):
            if says.match(text):
                return number
            if _HEADER.match(text):
                break
    return entry

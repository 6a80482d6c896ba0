"""Which lines of a notice hold a sentence: prose is wrapped anywhere, and lists stand within it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kumo_handlers.reports.nonstandard import addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD = re.compile(
    r"(?:reason|error|status|problem|cause|details?|diagnostics?)\W{0,3}: ?\S", re.IGNORECASE
)


def lines_of(lines: list[str], first: int, last: int) -> Iterator[int]:
    """The lines of the sentence that holds lines ``first`` to ``last``."""
    start = first
    if _FIELD.match(lines[first]):
        # Its label begins it: what stands above is another field.
        yield from range(first, last + 1)
        return
    while start > 0 and lines[start - 1] and not _ends_sentence(lines[start - 1]):
        if _is_entry(lines, start - 1) or first - start >= 4:  # noqa: PLR2004 - a sentence
            break
        start -= 1
    for index in range(start, min(last + 5, len(lines))):
        wrapped = index == last + 1 and bool(lines[index]) and not _ends_sentence(lines[last])
        if index > last and not wrapped and _starts_anew(lines[index]):
            return
        yield index
        if index >= last and _ends_sentence(lines[index]):
            return


def _is_entry(lines: list[str], index: int) -> bool:
    """Whether an address begins the line and belongs not to the words before: ``message to``."""
    if not addresses.LEADING.match(lines[index]):
        return False
    return index == 0 or not f" {lines[index - 1].casefold()}".endswith((" to", " by", " an"))


def _starts_anew(line: str) -> bool:
    return not line or bool(addresses.LEADING.match(line))


def _ends_sentence(line: str) -> bool:
    return line.endswith((".", ":", "!", "?", "。", "\uff1a", "---", "***", ",", ">"))

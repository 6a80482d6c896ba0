"""A bar that shows how far a long task is, from its second second on, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T_ = TypeVar("T_")

_PATIENCE = 1.0


def watched(
    pieces: Iterable[T_], total: int, what: str, weigh: Callable[[Any], int] = len
) -> Iterator[T_]:
    """The pieces as they are, the bar beside them; ``total`` is what they weigh together."""
    if not sys.stderr.isatty():
        yield from pieces
        return
    begun = time.monotonic()
    pieces = iter(pieces)
    done = 0
    for piece in pieces:
        yield piece
        done += weigh(piece)
        if time.monotonic() - begun > _PATIENCE:
            yield from _with_bar(pieces, done, total, what, weigh)


def _with_bar(
    pieces: Iterator[T_], done: int, total: int, what: str, weigh: Callable[[Any], int]
) -> Iterator[T_]:
    from rich.console import Console  # noqa: PLC0415 - most tasks end before they need a bar
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done)
        for piece in pieces:
            yield piece
            bar.advance(task, weigh(piece))

"""A bar that shows how far a long task is, from its second second on, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PATIENCE = 1.0


def watched(pieces: Iterable[bytes], total: int, what: str) -> Iterator[bytes]:
    """The pieces as they are, the bar beside them; ``total`` is their length together."""
    if not sys.stderr.isatty():
        yield from pieces
        return
    begun = time.monotonic()
    pieces = iter(pieces)
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        if time.monotonic() - begun > _PATIENCE:
            yield from _with_bar(pieces, done, total, what)


def _with_bar(pieces: Iterator[bytes], done: int, total: int, what: str) -> Iterator[bytes]:
    from rich.console import Console  # noqa: PLC0415 - most tasks end before they need a bar
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done)
        for piece in pieces:
            yield piece
            bar.advance(task, len(piece))

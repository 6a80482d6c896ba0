"""A progress bar for what takes longer than a second, and nothing for what does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.progress import Progress

T_ = TypeVar("T_")

PATIENCE = 1.0  # seconds
_STEPS = 256  # steps between two of them


def tracked(steps: Iterable[T_], total: int, what: str) -> Iterator[T_]:
    """``steps`` as they are, of which there are ``total``, with a bar on standard error."""
    began = time.monotonic()
    bar: Progress | None = None
    try:
        for done, step in enumerate(steps):
            yield step
            if done % _STEPS:
                continue
            if bar is not None:
                bar.update(bar.task_ids[0], completed=done)
            elif time.monotonic() - began > PATIENCE:
                bar = _bar(what, total)
    finally:
        if bar is not None:
            bar.update(bar.task_ids[0], completed=total)
            bar.stop()


def _bar(what: str, total: int) -> Progress:
    from rich.console import Console  # noqa: PLC0415 - only what is slow needs a bar
    from rich.progress import Progress  # noqa: PLC0415 - likewise

    bar = Progress(console=Console(stderr=True), transient=True)
    bar.add_task(what, total=total)
    bar.start()
    return bar

"""Where log records go: what every sink can do, and the table of those there are.

A sink is given whole lines that are already durable in the queue's database, so it may be lazy:
only after `Sink.sync` has returned are they struck from there. To add one, write its module and
give it a row in `SINKS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.jsonl import HOUR, JsonLines
from kumo_handlers.journal.segment import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Sink(Protocol):
    """Takes lines, in order, from one thread at a time."""

    def append(self, lines: bytes) -> None:
        """Take all of ``lines``, each ended by a line feed, or raise OSError and take none."""

    def sync(self) -> str:
        """Make durable what was appended; the answer is where the next line will stand."""

    def since(self, position: str) -> Iterator[bytes] | None:
        """The lines that stand after ``position``; None where a restart needs no catching up."""

    def close(self) -> None:
        """Sync, and let go of what is open. Nothing is appended afterwards."""


class SinkOptions(msgspec.Struct, frozen=True):
    """What sinks are opened with. Seconds, and bytes."""

    folder: Path
    max_segment_duration: float = HOUR
    max_segment_size: int = MAX_SIZE


def _jsonl(options: SinkOptions) -> Sink:
    return JsonLines(
        options.folder,
        max_segment_duration=options.max_segment_duration,
        max_segment_size=options.max_segment_size,
    )


def _terminal(_: SinkOptions) -> Sink:
    from kumo_handlers.journal.terminal import Terminal  # noqa: PLC0415 - rich takes long to come

    return Terminal()


SINKS: dict[str, Callable[[SinkOptions], Sink]] = {
    "jsonl": _jsonl,
    "terminal": _terminal,
}


def open_sink(name: str, options: SinkOptions) -> Sink:
    """The sink of that name. Raises `ConfigurationError` where there is none, OSError else."""
    try:
        opener = SINKS[name]
    except KeyError:
        problem = Problem(message="no such sink", value=repr(name), expected=", ".join(SINKS))
        raise ConfigurationError(problem) from None
    return opener(options)

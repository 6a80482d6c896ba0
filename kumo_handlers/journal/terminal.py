"""Records for a person at a terminal: one readable line each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from kumo_handlers.journal.readable import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


class _Console(Console):
    """rich ends the program where a pipe is closed; mail goes on without its spectators."""

    def on_broken_pipe(self) -> None:
        """Let the `BrokenPipeError` that is being handled reach the caller."""
        raise  # noqa: PLE0704 - rich calls this from its except clause


class Terminal:
    """The sink ``terminal``. It keeps nothing, and a terminal that is gone stops no mail."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._console = _Console(file=file, highlight=False, soft_wrap=True)
        self._is_gone = False

    def append(self, lines: bytes) -> None:
        """See `Sink.append`."""
        if self._is_gone:
            return
        try:
            for line in lines.splitlines():
                self._console.print(readable(msgspec.json.decode(line)))
        except OSError as error:
            self._is_gone = True
            log.warning("records are no longer shown on the terminal: %s", error)

    def sync(self) -> str:
        """See `Sink.sync`."""
        return ""

    def since(self, position: str) -> Iterator[bytes] | None:  # noqa: ARG002 - the Protocol's name
        """See `Sink.since`: what was not shown before a restart is not shown after it."""
        return None

    def close(self) -> None:
        """See `Sink.close`."""


def readable(record: dict[str, Any]) -> Text:
    """A record on one line, in colour."""
    return Text.assemble(*parts(record))

"""The log as files of JSON lines, ``YYYYMMDD-HHMMSS.jsonl``, named for when each was begun (UTC).

A new segment is begun when the last one is an hour old or 256 MiB long. A segment is synced
before the next is begun, so that only the newest can end in a torn line; that is repaired at
start. A segment that was deleted under us has its lines that were not synced yet written again
into a new one; of one that was moved away nothing is repeated.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from kumo_handlers.journal.segment import MAX_SIZE, Segment, begun, name_of, segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

HOUR = 3600.0
_SHOWN = 120


class JsonLines:
    """The sink ``jsonl``. Opens the newest segment, repaired, or begins the first."""

    def __init__(
        self,
        folder: Path,
        *,
        max_segment_duration: float = HOUR,
        max_segment_size: int = MAX_SIZE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._max_duration = max_segment_duration
        self._max_size = max_segment_size
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        existing = segments(folder)
        self._segment = self._reopened(existing[-1]) if existing else self._begin(0.0)

    def append(self, lines: bytes) -> None:
        """See `Sink.append`."""
        self._settle()
        if self._is_spent(self._segment):
            self._rotate()
        self._segment.append(lines)

    def sync(self) -> str:
        """See `Sink.sync`. The position is ``NAME:OFFSET``."""
        self._settle()
        self._segment.sync()
        return f"{self._segment.path.name}:{self._segment.size}"

    def since(self, position: str) -> Iterator[bytes]:
        """See `Sink.since`. A segment that is gone has no lines."""
        name, _, offset = position.partition(":")
        for path in segments(self._folder):
            if path.name >= name:
                with path.open("rb") as file:
                    file.seek(int(offset) if path.name == name else 0)
                    yield from file

    def close(self) -> None:
        """See `Sink.close`."""
        self.sync()
        self._segment.close()

    def _is_spent(self, segment: Segment) -> bool:
        age = self._clock() - begun(segment.path)
        return segment.size > 0 and (segment.size >= self._max_size or age >= self._max_duration)

    def _rotate(self) -> None:
        """Begin the next segment; the last one is whole and synced before."""
        self._segment.sync()
        self._replace(self._begin(begun(self._segment.path)))

    def _settle(self) -> None:
        """Go on in a new segment where the one we write is gone."""
        segment = self._segment
        if segment.is_in_place():
            if segment.was_resized():
                log.warning("somebody else made %s %d bytes long", segment.path, segment.size)
            return
        lost = segment.unsynced()
        fresh = self._begin(begun(segment.path))
        try:
            fresh.append(lost)
        except OSError:
            fresh.close()
            fresh.path.unlink()
            raise
        log.warning(
            "%s is gone; the log goes on in %s, where %d bytes are written again",
            segment.path,
            fresh.path.name,
            len(lost),
        )
        self._replace(fresh)

    def _replace(self, fresh: Segment) -> None:
        self._segment.close()
        self._segment = fresh

    def _begin(self, after: float) -> Segment:
        """A new segment, named for now, or for the first free second after the last one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        moment = max(self._clock(), after + 1.0)
        while (path := self._folder / name_of(moment)).exists():
            moment += 1.0
        segment = Segment(path)
        _sync_folder(self._folder)
        return segment

    def _reopened(self, path: Path) -> Segment:
        segment = Segment(path)
        if torn := segment.repair():
            log.warning(
                "%s ended in a torn line: %d bytes taken away, %r",
                path,
                len(torn),
                torn[:_SHOWN],
            )
        return segment


def _sync_folder(folder: Path) -> None:
    """A new file is durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

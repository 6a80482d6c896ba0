"""The log as files of JSON lines, ``YYYYMMDD-HHMMSS.jsonl``, named for when each was begun (UTC).

A new segment is begun when the last one is an hour old or 256 MiB long. A segment is synced
before the next is begun, so that only the newest can end in a torn line; that is repaired at
start. A segment that was deleted under us has its lines that were not synced yet written again
into a new one; of one that was moved away nothing is repeated.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from kumo_handlers.journal.segment import MAX_SIZE, Segment, begun, name_of, segments, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

HOUR = 3600.0
_SHOWN = 120


class JsonLines:
    """The sink ``jsonl``. Goes on in the newest segment, repaired, or begins the first.

    No file is touched before the first use: another program may still have the folder.
    """

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
        self._opened: Segment | None = None

    def append(self, lines: bytes) -> None:
        """See `Sink.append`."""
        segment = self._settled()
        if self._is_spent(segment):
            segment.sync()  # the last one is whole and durable before the next is begun
            segment = self._replaced(segment, self._begin(begun(segment.path)))
        segment.append(lines)

    def sync(self) -> str:
        """See `Sink.sync`. The position is ``NAME:OFFSET``."""
        segment = self._settled()
        segment.sync()
        return f"{segment.path.name}:{segment.size}"

    def since(self, position: str) -> Iterator[bytes]:
        """See `Sink.since`. A segment that is gone has no lines."""
        self._settled()
        name, _, offset = position.partition(":")
        for path in segments(self._folder):
            if path.name >= name:
                with path.open("rb") as file:
                    file.seek(int(offset) if path.name == name else 0)
                    yield from file

    def close(self) -> None:
        """See `Sink.close`."""
        if self._opened is not None:
            self.sync()
            self._opened.close()
            self._opened = None

    def _is_spent(self, segment: Segment) -> bool:
        age = self._clock() - begun(segment.path)
        return segment.size > 0 and (segment.size >= self._max_size or age >= self._max_duration)

    def _settled(self) -> Segment:
        """The segment to write: a new one where the one we wrote is gone."""
        segment = self._opened
        if segment is None:
            existing = segments(self._folder)
            self._opened = self._reopened(existing[-1]) if existing else self._begin(0.0)
            return self._opened
        if segment.is_in_place():
            if segment.was_resized():
                log.warning("somebody else made %s %d bytes long", segment.path, segment.size)
            return segment
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
        return self._replaced(segment, fresh)

    def _replaced(self, segment: Segment, fresh: Segment) -> Segment:
        segment.close()
        self._opened = fresh
        return fresh

    def _begin(self, after: float) -> Segment:
        """A new segment, named for now, or for the first free second after the last one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        moment = max(self._clock(), after + 1.0)
        while (path := self._folder / name_of(moment)).exists():
            moment += 1.0
        segment = Segment(path)
        sync_folder(self._folder)
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

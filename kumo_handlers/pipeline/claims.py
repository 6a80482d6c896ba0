"""Salmon's queue, whose messages are only gone when somebody has dealt with them.

`Queue.pop` deletes a message and then gives it to whoever handles it: one that is being handled
when the process dies is lost. Here it is moved to a folder of this process first. What the folder
of a process that has died still holds goes back into the queue, and is handled again.
"""

from __future__ import annotations

import fcntl
import heapq
import logging
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from salmon.queue import Queue

from kumo_handlers.smtp.identity import new_id

if TYPE_CHECKING:
    from salmon.mail import MailRequest

_log = logging.getLogger(__name__)

FOLDER: Final = "claimed"
# Seconds until a message is tried again that could not be handled for now.
LATER: Final = 60.0


class Claims(Queue):
    """``queue``, with ``pop`` as a claim; `settle` or `defer` ends one."""

    def __init__(self, queue: Queue, later: float = LATER) -> None:
        super().__init__(queue.dir, pop_limit=queue.pop_limit)
        self.mbox, self.oversize_dir = queue.mbox, queue.oversize_dir
        self._later = later
        self._deferred: list[tuple[float, str]] = []
        self._changing = threading.Lock()
        self._new = Path(queue.dir) / "new"
        self._all = Path(queue.dir) / FOLDER
        self._all.mkdir(exist_ok=True)
        self._recover()
        self._folder = self._all / new_id()
        # Held as long as this process lives, and before the folder is there to be seen: by that
        # the others know that it lives.
        self._lock = _lock_of(self._folder).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._folder.mkdir()

    def pop(self) -> tuple[str, MailRequest]:
        """Claim a message. Raises KeyError, after which Salmon's loop goes on, if it got none."""
        key, message = super().pop()
        if message is None:  # there is none, or one that Salmon cannot decode and has logged
            raise KeyError(key)
        return key, message

    def get(self, key: str) -> MailRequest | None:
        """The message, which knows by what it was claimed."""
        message = super().get(key)
        if message is not None:
            message.claim = key
        return message

    def remove(self, key: str) -> None:
        """Claim a file: only one of all that try succeeds. Raises KeyError for the others."""
        try:
            place = self.mbox._lookup(key)  # noqa: SLF001 - whether it is in new or in cur
            Path(self.dir, place).rename(self._folder / key)
        except FileNotFoundError as error:
            raise KeyError(key) from error

    def settle(self, message: MailRequest) -> None:
        """It was dealt with: now it may go."""
        (self._folder / message.claim).unlink(missing_ok=True)

    def defer(self, message: MailRequest) -> None:
        """Not now: back into the queue later, or when this process has ended."""
        with self._changing:
            heapq.heappush(self._deferred, (time.monotonic() + self._later, message.claim))

    def close(self) -> None:
        """Leave what is claimed to the next process."""
        self._lock.close()

    def __len__(self) -> int:
        """How many wait. Salmon's loop asks before each look: the time to put back what is due."""
        with self._changing:
            while self._deferred and self._deferred[0][0] <= time.monotonic():
                _, key = heapq.heappop(self._deferred)
                (self._folder / key).rename(self._new / key)
        return cast("int", super().__len__())

    def _recover(self) -> None:
        """Put back what processes have claimed that live no more."""
        for folder in self._all.iterdir():
            if not folder.is_dir():
                continue
            with suppress(OSError), _lock_of(folder).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                claimed = list(folder.iterdir())
                for each in claimed:
                    each.rename(self._new / each.name)
                folder.rmdir()
                _lock_of(folder).unlink()
                _log.info("%d messages were left half done in %s", len(claimed), folder)


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")

"""How a test waits: for what soon becomes true, and never for a time."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import StorageError
from kumo_handlers.pipeline import installation
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 30.0  # seconds: whoever is right waits for less, and the machine may be busy


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What ``condition`` says, as soon as that is true; fail where it never is."""
    deadline = time.monotonic() + seconds
    while not (said := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return said


def books_are_written() -> None:
    """Return when all that was accepted before is in the log and in the queue.

    It is durable when the reply is said, and then it may stand on a page of the daybook only, for
    a tenth of a second. A refusal at RCPT does not wait for its record at all.
    """
    if not installation.is_installed():
        return  # closed: they are
    committer = installation.current()._committer
    if isinstance(committer, Committer):
        with suppress(StorageError):  # closed, or a disk that the test has broken
            committer.commit_blocking(Unit())  # it stands in line behind all the others
            committer._books.enter()  # what is on pages, as is done in a moment anyway

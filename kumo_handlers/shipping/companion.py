"""The shipping process beside the app: started, listened to, started again when it dies.

It is a process of its own so that no destination, and no number of records, takes a moment of
the interpreter that answers SMTP.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, cast

from kumo_handlers.shipping import orders, told
from kumo_handlers.shipping.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.shipping.orders import Orders

log = logging.getLogger(__name__)

_PROGRAM = (sys.executable, "-m", "kumo_handlers.shipping")
_GRACE = 5.0  # seconds it has to write its places down


class _Child:
    """One life of the process. Raises OSError where there can be none."""

    def __init__(self, program: Sequence[str], given: bytes) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by its name
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._orders = cast("IO[bytes]", self._process.stdin)
        self._said = cast("IO[bytes]", self._process.stdout)
        with suppress(BrokenPipeError):  # it died at once: its status will say so
            self._orders.write(given)
            self._orders.flush()

    def attend(self) -> int:
        """Repeat what it says until it ends; the answer is its status."""
        with self._said as lines:
            for line in lines:
                told.repeat(line)
        self.hang_up()
        return self._process.wait()

    def hang_up(self) -> None:
        """Tell it to end."""
        with suppress(BrokenPipeError):
            self._orders.close()

    def kill(self) -> None:
        """End it."""
        self._process.kill()


class Companion:
    """Ships until `stop`. Where it cannot be started that is said, and mail goes on."""

    def __init__(self, given: Orders, program: Sequence[str] = _PROGRAM) -> None:
        self._orders = orders.encode(given)
        self._program = program
        self._patience = Patience()
        self._is_stopping = threading.Event()
        self._child: _Child | None = None
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._attend, name="shipping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have it write its places down and end. What is not shipped yet is at the next start."""
        with self._changing:
            self._is_stopping.set()
            child = self._child
        if child is not None:
            child.hang_up()
            self._thread.join(_GRACE)
            if self._thread.is_alive():
                log.warning("shipping did not end within %g s, and is killed", _GRACE)
                child.kill()
        self._thread.join()

    def _attend(self) -> None:
        """The thread: see that there is one, and repeat what it says."""
        while (child := self._begin()) is not None:
            status = child.attend()
            if not self._is_stopping.is_set():
                log.error("shipping ended with status %d, and is started again", status)
                self._is_stopping.wait(self._patience.next())

    def _begin(self) -> _Child | None:
        """A new one; None where there shall be none any more."""
        while True:
            with self._changing:
                if self._is_stopping.is_set():
                    return None
                try:
                    self._child = _Child(self._program, self._orders)
                except OSError as error:
                    log.error("shipping cannot be started: %s", error)  # noqa: TRY400 - the reason is all there is
                else:
                    return self._child
            self._is_stopping.wait(self._patience.next())

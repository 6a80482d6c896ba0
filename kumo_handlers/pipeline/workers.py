"""The threads in which an app's own handlers run.

They are daemons: a handler that never returns does not keep the process from ending. Those of
`concurrent.futures.ThreadPoolExecutor` would, for Python joins them at its end.
"""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P_ = ParamSpec("P_")
R_ = TypeVar("R_")
Job = tuple["Future[Any]", "Callable[[], Any]"]


class Workers(Executor):
    """At most ``most`` threads, each made when all others are busy."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._is_shut = False

    def submit(self, fn: Callable[P_, R_], /, *args: P_.args, **kwargs: P_.kwargs) -> Future[R_]:
        """Run ``fn`` in a thread. Raises RuntimeError after `shutdown`."""
        future: Future[R_] = Future()
        with self._lock:
            if self._is_shut:
                raise RuntimeError("the workers have been sent home")
            if self._idle > 0:
                self._idle -= 1
            elif self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name="mail", daemon=True).start()
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's
        """Take no more work. Who is at work is neither waited for nor stopped."""
        del wait, cancel_futures
        with self._lock:
            self._is_shut = True
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                    future.set_exception(error)
            del job, future, call
            with self._lock:
                self._idle += 1

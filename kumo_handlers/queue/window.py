"""Where another process of the installation hands in what it wants committed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kumo_handlers.errors import StorageError
from kumo_handlers.queue.line import Line
from kumo_handlers.queue.unit import LoopJob, Unit
from kumo_handlers.queue.wire import Answer, Order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.queue.unit import Job
    from kumo_handlers.queue.wire import Said


class ForwardedJob(LoopJob):
    """A unit of another process, which counts it, and waits for the answer."""

    __slots__ = ("_number", "_window")
    is_counted_elsewhere = True

    def __init__(self, order: Order, window: Window) -> None:
        mails = tuple([each.mail() for each in order.mails])
        super().__init__(Unit(mails=mails, kept=tuple(order.kept)), order.lines, order.keys)
        self.loop = asyncio.get_running_loop()
        self._number = order.number
        self._window = window

    def settle(self) -> None:
        """See `LoopJob`."""
        error = self.error
        name, text = ("", "") if error is None else (type(error).__name__, str(error))
        self._window.send(Answer(self._number, name, text))


class Window(Line):
    """One other process. ``take`` commits what it hands in."""

    def __init__(
        self,
        take: Callable[[Job], None],
        on_word: Callable[[bytes], None],
        on_gone: Callable[[], None],
    ) -> None:
        super().__init__(on_word, on_gone)
        self._take = take

    def hear(self, said: Sequence[Said]) -> None:
        """See `Line`. What a process handed in before it died is committed all the same."""
        for each in said:
            if isinstance(each, Order):
                self._submit(ForwardedJob(each, self))

    def _submit(self, job: ForwardedJob) -> None:
        try:
            self._take(job)
        except StorageError as error:
            job.error = error
            job.settle()

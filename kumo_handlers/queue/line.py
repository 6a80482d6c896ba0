"""One end of the line between two processes of an installation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from kumo_handlers.queue.wire import Frames, Word, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.queue.wire import Said


class Line(asyncio.Protocol):
    """``on_word`` is told what is said beside units; ``on_gone``, that the other end is gone."""

    def __init__(self, on_word: Callable[[bytes], None], on_gone: Callable[[], None]) -> None:
        self._on_word = on_word
        self._on_gone = on_gone
        self._frames = Frames()
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def hear(self, said: Sequence[Said]) -> None:
        """What came in about units."""
        raise NotImplementedError

    def say(self, content: bytes) -> None:
        """Say what is not about units. Called in the loop."""
        self.send(Word(content))

    def send(self, said: Said) -> None:
        """Say it. All of one turn of the loop goes out together."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(frame(said))

    def hang_up(self) -> None:
        """Say no more, once what was said has gone out."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    @property
    def is_open(self) -> bool:
        """Whether there is somebody at the other end."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        about_units = []
        for said in self._frames.feed(data):
            if isinstance(said, Word):
                self._on_word(said.content)
            else:
                about_units.append(said)
        self.hear(about_units)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._transport = None
        self._on_gone()

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if self._transport is not None:
            self._transport.writelines(outgoing)

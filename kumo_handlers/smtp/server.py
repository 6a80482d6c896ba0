"""A listener on the network: a socket, and a `Conversation` for each client of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from kumo_handlers.mail.session import Peer
from kumo_handlers.smtp import peername, sockets, tls
from kumo_handlers.smtp.conversation import Conversation
from kumo_handlers.smtp.premises import Premises

if TYPE_CHECKING:
    import socket

    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.activation import Activation
    from kumo_handlers.smtp.backend import Backend
    from kumo_handlers.smtp.credentials import Authenticator
    from kumo_handlers.smtp.turnout import Turnout

_log = logging.getLogger(__name__)

# Seconds between two looks at the clock for all clients, instead of a timer for each.
SWEEP: Final = 0.25
# Seconds in which what was cancelled may come to its end.
CANCELLING: Final = 1.0


class Server:
    """One listener: ``bind()`` if that must come first, ``await start()``, ``await stop(grace)``.

    AUTH is offered where there is an ``authenticator``.
    """

    def __init__(
        self, listener: Listener, backend: Backend, authenticator: Authenticator | None = None
    ) -> None:
        self._listener = listener
        self._premises: Premises[Conversation] = Premises(listener, backend, authenticator)
        self._socket: socket.socket | None = None
        self._is_inherited = False
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._sockname = Peer("")

    @property
    def sockname(self) -> Peer:
        """The address and port it listens on; port 0 of the option has become a real one.

        ``Peer("")`` for a Unix socket.
        """
        return self._sockname

    @property
    def connections(self) -> int:
        """How many clients there are."""
        return len(self._premises.census)

    @property
    def turnout(self) -> Turnout:
        """Who came since the start, and what was said."""
        return self._premises.turnout

    def bind(self, activation: Activation | None = None) -> None:
        """Take the address, or the socket that ``activation`` has for it; no client comes yet.

        Raises `ConfigurationError`, naming the listener, where that is impossible.
        """
        inherited = activation.take(self._listener) if activation else None
        self._is_inherited = inherited is not None
        self._socket = inherited or sockets.bind(self._listener)
        self._sockname = peername.read(self._socket.getsockname())

    async def start(self) -> None:
        """Listen. Raises `ConfigurationError`, naming the listener, where that is impossible."""
        for listener in self._variants():
            if any(tls.files(listener)):  # one that cannot be used is said now, not to a client
                self._premises.certificates.context(listener)
        if self._socket is None:
            self.bind()
        assert self._socket is not None  # noqa: S101 - it has just been bound
        sockets.listen(self._socket, self._listener)
        loop = asyncio.get_running_loop()
        create = loop.create_unix_server if self._listener.path else loop.create_server
        self._server = await create(self._meet, sock=self._socket, backlog=sockets.BACKLOG)
        self._sweeper = loop.create_task(self._sweep())
        _log.info("listening on %s", self._listener.path or self._sockname)

    def prepare(self) -> None:
        """Have ready what the first STARTTLS would wait for. In any thread."""
        for listener in self._variants():
            self._premises.certificates.context(listener)

    def _variants(self) -> list[Listener]:
        """The listener as its clients may get it."""
        blocks = (*self._listener.peer.blocks.values(), *self._listener.via.blocks.values())
        return [self._listener, *(replace(self._listener, **options) for options in blocks)]

    async def stop(self, grace: float) -> None:
        """Take no more clients; let messages that are on their way finish for ``grace`` seconds."""
        if self._server is None or self._sweeper is None:
            self.close()
            return
        self._server.close()
        self.close()
        ended = [conversation.stop() for conversation in self._premises.census]
        if ended:
            await asyncio.wait(ended, timeout=grace)
        self._sweeper.cancel()
        cut = [conversation.abort() for conversation in self._premises.census]
        await asyncio.wait([self._sweeper, *filter(None, cut)], timeout=CANCELLING)

    def share(self) -> None:
        """From now on the address is another process's to give up, too."""
        self._is_inherited = True

    def close(self) -> None:
        """Give the address up. systemd goes on listening at what it has opened."""
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        if not self._is_inherited:
            sockets.remove(self._listener)

    def _meet(self) -> Conversation:
        return Conversation(self._premises)

    async def _sweep(self) -> None:
        """End the conversations whose time is over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP)
            now = loop.time()
            for conversation in self._premises.census:
                conversation.check_time(now)

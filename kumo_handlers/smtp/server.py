"""A listener on the network: a socket, and a `Conversation` for each client of it."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import TYPE_CHECKING, Final

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.mail.session import Peer
from kumo_handlers.smtp import peername
from kumo_handlers.smtp.conversation import Conversation

if TYPE_CHECKING:
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.smtp.backend import Backend

_log = logging.getLogger(__name__)

# Clients that come at the same moment wait here. A short queue makes the kernel drop them.
BACKLOG: Final = 4096
# Seconds between two looks at the clock for all clients, instead of a timer for each.
SWEEP: Final = 0.25
_REASONS: Final = {
    errno.EADDRINUSE: "the address is in use",
    errno.EACCES: "no permission to listen there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class Server:
    """One listener: ``await start()``, and later ``await stop(grace)``."""

    def __init__(self, listener: Listener, backend: Backend) -> None:
        self._listener = listener
        self._backend = backend
        self._conversations: set[Conversation] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._sockname = Peer("")

    @property
    def sockname(self) -> Peer:
        """The address and port it listens on; port 0 of the option has become a real one."""
        return self._sockname

    @property
    def connections(self) -> int:
        """How many clients there are."""
        return len(self._conversations)

    async def start(self) -> None:
        """Listen. Raises `ConfigurationError`, naming the listener, where that is impossible."""
        listening = self._open()
        self._sockname = peername.read(listening.getsockname())
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._meet, sock=listening, backlog=BACKLOG)
        self._sweeper = loop.create_task(self._sweep())
        _log.info("listening on %s", self._sockname)

    async def stop(self, grace: float) -> None:
        """Take no more clients; let messages that are on their way finish for ``grace`` seconds."""
        if self._server is None or self._sweeper is None:
            return
        self._server.close()
        ended = [conversation.stop() for conversation in tuple(self._conversations)]
        if ended:
            await asyncio.wait(ended, timeout=grace)
        for conversation in tuple(self._conversations):
            conversation.abort()
        self._sweeper.cancel()
        await asyncio.sleep(0)

    def _open(self) -> socket.socket:
        host, port = self._listener.host, self._listener.port
        v6 = ":" in host
        try:
            listening = socket.create_server(
                (host, port),
                family=socket.AF_INET6 if v6 else socket.AF_INET,
                backlog=BACKLOG,
                # [::] is every address there is: IPv4 clients come as mapped ones
                dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
            )
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, error.strerror)
            raise ConfigurationError(
                Problem(
                    message=f"cannot listen: {reason}",
                    option="listen",
                    value=self._listener.listen,
                )
            ) from error
        # Clients' sockets inherit it. asyncio sets it only on sockets whose protocol number says
        # TCP, and those of `socket.create_server` have none; without it a client that sends its
        # commands in one go waits 40 ms for the second reply.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening

    def _meet(self) -> Conversation:
        return Conversation(self._listener, self._backend, self._conversations)

    async def _sweep(self) -> None:
        """End the conversations whose time is over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP)
            now = loop.time()
            for conversation in tuple(self._conversations):
                conversation.check_time(now)

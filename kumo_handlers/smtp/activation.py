"""Sockets that systemd has opened for this process: sd_listen_fds(3).

They outlive the process, so that during a restart clients wait instead of being refused, and
nobody here needs a privilege to have port 25. A socket belongs to the listener whose ``listen`` is
its address; its name in the unit file is for people.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING, Final, Self

from kumo_handlers.policy import endpoint
from kumo_handlers.policy.endpoint import Endpoint
from kumo_handlers.smtp import peername, sockets

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from kumo_handlers.policy.listener import Listener

_log = logging.getLogger(__name__)

FIRST: Final = 3
VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


class Activation:
    """Sockets with their names in the unit file, until a listener takes them."""

    def __init__(self, opened: Iterable[tuple[str, socket.socket]] = ()) -> None:
        self._opened: dict[str, tuple[str, socket.socket]] = {}
        for name, each in opened:
            self._opened[_address(each)] = (name, each)

    @classmethod
    def of(cls, environ: MutableMapping[str, str] = os.environ, first: int = FIRST) -> Self:
        """What systemd passed, if anything. The variables are removed: no child is meant."""
        pid, count, names = (environ.pop(name, "") for name in VARIABLES)
        if pid != str(os.getpid()) or not count.isdigit():
            return cls()
        numbers = range(first, first + int(count))
        spelt = [*names.split(":"), *("unknown" for _ in numbers)]
        return cls((name, _opened(number)) for name, number in zip(spelt, numbers, strict=False))

    def take(self, listener: Listener) -> socket.socket | None:
        """The socket for ``listener``, if there is one."""
        _, found = self._opened.pop(endpoint.canonical(listener.listen), ("", None))
        if found is not None:
            sockets.make_prompt(found)
        return found

    def close(self) -> None:
        """Close what no listener took, and say so: clients there would wait for ever."""
        for address, (name, each) in self._opened.items():
            _log.warning("systemd's socket %s (%s) is no listener's", name, address)
            each.close()
        self._opened.clear()


def _opened(number: int) -> socket.socket:
    os.set_inheritable(number, False)  # noqa: FBT003 - it takes it so only
    return socket.socket(fileno=number)


def _address(opened: socket.socket) -> str:
    """As `endpoint` spells it. One that does not listen (``Accept=yes``) has none."""
    if opened.type != socket.SOCK_STREAM or not opened.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    ):
        return f"descriptor {opened.fileno()}, which does not listen"
    name = opened.getsockname()
    if isinstance(name, tuple):
        peer = peername.read(name)
        return str(Endpoint(peer.host, peer.port))
    return str(Endpoint("", 0, os.fsdecode(name)))

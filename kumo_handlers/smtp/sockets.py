"""The socket of a listener."""

from __future__ import annotations

import errno
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from kumo_handlers.policy.listener import Listener

# Clients that come at the same moment wait here. A short queue makes the kernel drop them.
BACKLOG: Final = 4096
_REASONS: Final = {
    errno.EADDRINUSE: "the address is in use",
    errno.EACCES: "no permission to listen there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


def listen(listener: Listener) -> socket.socket:
    """A socket that listens. Raises `ConfigurationError`, naming the listener."""
    try:
        return _listen_on_path(listener.path) if listener.path else _listen_on_address(listener)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise ConfigurationError(
            Problem(message=f"cannot listen: {reason}", option="listen", value=listener.listen)
        ) from error


def _listen_on_address(listener: Listener) -> socket.socket:
    host = listener.host
    listening = socket.create_server(
        (host, listener.port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=BACKLOG,
        # [::] is every address there is: IPv4 clients come as mapped ones
        dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
    )
    # Clients' sockets inherit it. asyncio sets it only on sockets whose protocol number says TCP,
    # and those of `socket.create_server` have none; without it a client that sends its commands
    # in one go waits 40 ms for the second reply.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _listen_on_path(path: str) -> socket.socket:
    _remove_stale(Path(path))
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(path)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def remove(listener: Listener) -> None:
    """Remove the file of a Unix socket that listens no more."""
    if listener.path:
        Path(listener.path).unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """Remove the socket that a listener left which was killed; not one that somebody answers."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()

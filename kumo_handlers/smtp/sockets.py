"""The socket of a listener: bound first, by whoever may, and listening later.

Between the two a process may give up its privileges.
"""

from __future__ import annotations

import errno
import socket
import stat
from contextlib import suppress
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


def bind(listener: Listener) -> socket.socket:
    """A socket that has the address. Raises `ConfigurationError`, naming the listener."""
    try:
        return _bind_to_path(listener.path) if listener.path else _bind_to_address(listener)
    except OSError as error:
        raise _explained(error, listener) from error


def listen(bound: socket.socket, listener: Listener) -> None:
    """Let clients come. Raises `ConfigurationError`, naming the listener."""
    try:
        # Of several sockets that are bound to one address, the first that listens has it.
        bound.listen(BACKLOG)
    except OSError as error:
        raise _explained(error, listener) from error


def make_prompt(bound: socket.socket) -> None:
    """Have replies sent at once; clients' sockets inherit it.

    asyncio sets it only on sockets whose protocol number says TCP, and ours have none; without
    it a client that sends its commands in one go waits 40 ms for the second reply.
    """
    if bound.family in (socket.AF_INET, socket.AF_INET6):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def remove(listener: Listener) -> None:
    """Remove the file of a Unix socket that listens no more.

    Whoever gave up its privileges may not be able to; then the next start removes it.
    """
    if listener.path:
        with suppress(OSError):
            Path(listener.path).unlink()


def _explained(error: OSError, listener: Listener) -> ConfigurationError:
    # What Python itself refuses, a path that is too long, has no number.
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return ConfigurationError(
        Problem(message=f"cannot listen: {reason}", option="listen", value=listener.listen)
    )


def _bind_to_address(listener: Listener) -> socket.socket:
    host = listener.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # an address that the last run has used a moment ago is ours again at once
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            # [::] is every address there is: IPv4 clients come as mapped ones
            only_v6 = host != "::" or not socket.has_dualstack_ipv6()
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
        bound.bind((host, listener.port))
        make_prompt(bound)
    except OSError:
        bound.close()
        raise
    return bound


def _bind_to_path(path: str) -> socket.socket:
    _remove_stale(Path(path))
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(path)
    except OSError:
        bound.close()
        raise
    return bound


def _remove_stale(path: Path) -> None:
    """Remove the socket that a listener left which was killed; not one that somebody answers."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()

"""The addresses of a socket, in the spelling that the policy compares."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

from kumo_handlers.mail.session import Peer
from kumo_handlers.policy.networks import pack

_V4: Final = 4


def canonical_host(host: str) -> str:
    """The canonical spelling of an IP address, ``""`` for what is none.

    An IPv4 address seen through an IPv6 socket is that IPv4 address (RFC 4291, 2.5.5.2); the zone
    of a link-local address is dropped (RFC 4007, 11).
    """
    packed = pack(host)
    if packed is None:
        return ""
    return inet_ntop(AF_INET if len(packed) == _V4 else AF_INET6, packed)


def host_of(local: str) -> str:
    """The host of ``IP:PORT``, as `Session` writes it; empty for a Unix socket's."""
    return canonical_host(local.rpartition(":")[0].strip("[]"))


def read(name: object) -> Peer:
    """What ``getpeername`` or ``getsockname`` gave; a Unix socket's is ``Peer("", 0)``."""
    if isinstance(name, tuple):
        return Peer(canonical_host(str(name[0])), int(name[1]))
    return Peer("")

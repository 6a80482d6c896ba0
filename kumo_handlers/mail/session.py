"""Who is speaking, and what they asked for: peer, session, envelope. Frozen values.

The listener makes a new `Session` when something about the client is learnt (its name, its
identity, its true address behind a proxy); everyone above only reads.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kumo_handlers.mail.address import NULL, Address


class Peer(msgspec.Struct, frozen=True, gc=False):
    """The address at the other end.

    ``host`` is an IP in canonical spelling, an IPv4 address seen through an IPv6 socket being
    that IPv4 address. It is empty for a Unix socket, or where a stock Salmon receiver does not
    tell: such a peer is never trusted.
    """

    host: str
    port: int = 0

    def __str__(self) -> str:
        if not self.host:
            return "an unknown peer"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Session(msgspec.Struct, frozen=True):
    """One connection, as far as it is known by now.

    ``listener`` is the listener's `listen` as written, ``local`` the ``IP:PORT`` that the client
    connected to: both name sections of the policy, ``local`` first. ``tls`` holds ``tls_cipher``,
    ``tls_protocol_version``, ``tls_peer_subject_name``. ``meta`` is shared by all versions of one
    connection's session, so that what one event sets another reads.
    """

    id: str
    peer: Peer
    listener: str = ""
    local: str = ""
    hostname: str = "localhost"
    protocol: str = "ESMTP"
    client_name: str = ""
    authn_id: str | None = None
    authz_id: str | None = None
    tls: dict[str, Any] | None = None
    meta: dict[str, Any] = {}


class Envelope(msgspec.Struct, frozen=True):
    """One transaction: reverse-path, accepted forward-paths in their order, MAIL's parameters."""

    reverse_path: Address = NULL
    forward_paths: tuple[Address, ...] = ()
    body_8bit: bool = False
    smtputf8: bool = False
    declared_size: int | None = None

"""Invariant: octets are a PROXY header with true addresses, the beginning of one, or none.

A header is the same whatever follows it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import engine

from kumo_handlers.smtp import peername, proxy

if TYPE_CHECKING:
    from kumo_handlers.mail.session import Peer

V4 = bytes([203, 0, 113, 5, 198, 51, 100, 1]) + struct.pack("!HH", 4321, 25)
V6 = bytes(range(32)) + struct.pack("!HH", 4321, 25)
SEEDS = [
    b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 25\r\n",
    b"PROXY TCP6 2001:db8::1 ::1 4321 25\r\n",
    b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    proxy.SIGNATURE + b"\x21\x11" + struct.pack("!H", len(V4)) + V4,
    proxy.SIGNATURE + b"\x21\x21" + struct.pack("!H", len(V6) + 4) + V6 + b"\x04\x00\x01\x00",
    proxy.SIGNATURE + b"\x20\x00\x00\x00",
]
WORDS = [
    b"\r\n",
    b"\r",
    b"\n",
    b" ",
    b"\0",
    b"::",
    b"::ffff:",
    b".",
    b"0",
    b"65536",
    b"TCP6",
    b"%1",
]


def target(octets: bytes) -> None:
    """Read octets as a header, and its beginnings."""
    try:
        found = proxy.read(octets)
    except proxy.ProxyError:
        return
    if found is None:
        return
    proxied, length = found
    engine.require(0 < length <= len(octets))
    engine.require(proxy.read(octets[:length] + b"EHLO x\r\n") == found)
    engine.require(all(proxy.read(octets[:shorter]) is None for shorter in range(length)))
    engine.require((proxied.source is None) == (proxied.destination is None))
    if proxied.source and proxied.destination:
        _check(proxied.source)
        _check(proxied.destination)


def _check(peer: Peer) -> None:
    engine.require(peer.host == peername.canonical_host(peer.host) != "")
    engine.require(0 <= peer.port <= 0xFFFF)  # noqa: PLR2004 - the highest port


if __name__ == "__main__":
    engine.main(target, SEEDS, WORDS)

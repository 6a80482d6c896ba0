"""The PROXY protocol, versions 1 and 2: a load balancer tells whose connection it passes on.

The header stands once, before anything else, and says source and destination. It is read strictly
(the specification asks for that): what is no header ends the connection.
"""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

import msgspec

from kumo_handlers.mail.session import Peer
from kumo_handlers.policy.networks import pack
from kumo_handlers.smtp import peername

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_START: Final = b"PROXY "
_V1_LONGEST: Final = 107  # the specification's, CRLF included
_V1: Final = re.compile(
    rb"PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|(TCP[46]) ([0-9.a-fA-F:]+) ([0-9.a-fA-F:]+)"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))"
)
_FIXED: Final = 16
# Addresses and what follows them; the specification's own receivers take less.
_V2_LONGEST: Final = 4096
_HIGHEST_PORT: Final = 0xFFFF
_LOCAL, _PROXY = 0x20, 0x21
# Family and protocol: TCP over IPv4, TCP over IPv6; octets of one address
_FAMILIES: Final = {0x11: (AF_INET, 4), 0x21: (AF_INET6, 16)}


class ProxyError(Exception):
    """What came is no PROXY header; the reason is for the log."""


class Proxied(msgspec.Struct, frozen=True, gc=False):
    """Whose connection it is; both None where the proxy speaks for itself or does not know."""

    source: Peer | None = None
    destination: Peer | None = None


def read(received: bytes) -> tuple[Proxied, int] | None:
    """The header and its length; None if more octets are needed. Raises `ProxyError`."""
    if _begins(received, SIGNATURE):
        return _read_v2(received)
    if _begins(received, _V1_START):
        return _read_v1(received)
    raise ProxyError("neither version of the header begins like this")


def _begins(received: bytes, start: bytes) -> bool:
    """Whether ``received`` begins with ``start``, as far as it goes."""
    return received[: len(start)] == start[: len(received)]


def _read_v1(received: bytes) -> tuple[Proxied, int] | None:
    end = received.find(b"\r\n", 0, _V1_LONGEST)
    if end < 0:
        if len(received) >= _V1_LONGEST:
            raise ProxyError("the line does not end")
        return None
    found = _V1.fullmatch(received, 0, end)
    if found is None:
        raise ProxyError("the line is malformed")
    length = end + 2
    if found[1] is None:
        return Proxied(), length
    size = 4 if found[1] == b"TCP4" else 16
    source, destination = (
        _peer(found[index].decode(), int(found[index + 2]), size) for index in (2, 3)
    )
    return Proxied(source, destination), length


def _peer(text: str, port: int, size: int) -> Peer:
    packed = pack(text)
    # An IPv4-mapped address is 4 octets once packed, and is a fair TCP6 one.
    is_right = packed is not None and (len(packed) == size or (":" in text and size > len(packed)))
    if not is_right or port > _HIGHEST_PORT:
        raise ProxyError(f"{text!r} port {port} is no address of its family")
    return Peer(peername.canonical_host(text), port)


def _read_v2(received: bytes) -> tuple[Proxied, int] | None:
    if len(received) < _FIXED:
        return None
    command, family = received[12], received[13]
    length = _FIXED + int.from_bytes(received[14:16])
    if command not in (_LOCAL, _PROXY):
        raise ProxyError(f"command {command:#x} is unknown")
    if length > _V2_LONGEST:
        raise ProxyError(f"a header of {length} octets")
    if len(received) < length:
        return None
    if command == _LOCAL or family not in _FAMILIES:
        return Proxied(), length
    return _addresses(received[_FIXED:length], *_FAMILIES[family]), length


def _addresses(block: bytes, family: int, size: int) -> Proxied:
    if len(block) < 2 * size + 4:
        raise ProxyError("the addresses are cut short")
    hosts = (block[:size], block[size : 2 * size])
    ports = (block[2 * size : 2 * size + 2], block[2 * size + 2 : 2 * size + 4])
    source, destination = (
        Peer(peername.canonical_host(inet_ntop(family, host)), int.from_bytes(port))
        for host, port in zip(hosts, ports, strict=True)
    )
    return Proxied(source, destination)

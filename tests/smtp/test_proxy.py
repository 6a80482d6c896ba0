"""PROXY headers: those of the specification, and those that are none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.mail.session import Peer
from kumo_handlers.smtp import proxy
from kumo_handlers.smtp.proxy import Proxied, ProxyError

NOBODY = Proxied()
V4 = Proxied(Peer("203.0.113.5", 4321), Peer("198.51.100.1", 25))
V4_ADDRESSES = bytes([203, 0, 113, 5, 198, 51, 100, 1]) + struct.pack("!HH", 4321, 25)


def v2(command: int, family: int, block: bytes, length: int | None = None) -> bytes:
    """A header of version 2."""
    size = len(block) if length is None else length
    return proxy.SIGNATURE + bytes([command, family]) + struct.pack("!H", size) + block


GOOD = [
    (b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 25\r\n", V4),
    (b"PROXY UNKNOWN\r\n", NOBODY),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", NOBODY),
    (
        b"PROXY TCP6 2001:DB8::1 ::1 0 65535\r\n",
        Proxied(Peer("2001:db8::1", 0), Peer("::1", 65535)),
    ),
    (
        b"PROXY TCP6 ::ffff:203.0.113.5 ::ffff:198.51.100.1 4321 25\r\n",
        V4,
    ),
    (v2(0x21, 0x11, V4_ADDRESSES), V4),
    (v2(0x21, 0x11, V4_ADDRESSES + b"\x04\x00\x01\x00"), V4),
    (v2(0x20, 0x00, b""), NOBODY),
    (v2(0x20, 0x11, V4_ADDRESSES), NOBODY),
    (v2(0x21, 0x00, b"xyz"), NOBODY),
    (v2(0x21, 0x31, b"\0" * 216), NOBODY),
]
BAD = [
    b"EHLO x\r\n",
    b"proxy TCP4 203.0.113.5 198.51.100.1 4321 25\r\n",
    b"PROXY TCP4 203.0.113.5 198.51.100.1 4321\r\n",
    b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 25 \r\n",
    b"PROXY TCP4  203.0.113.5 198.51.100.1 4321 25\r\n",
    b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 65536\r\n",
    b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 025\r\n",
    b"PROXY TCP4 ::1 ::1 4321 25\r\n",
    b"PROXY TCP6 203.0.113.5 198.51.100.1 4321 25\r\n",
    b"PROXY TCP4 203.0.113.256 198.51.100.1 4321 25\r\n",
    b"PROXY TCP4 203.0.113.5 198.51.100.1 4321 25\nEHLO x\r\n",
    b"PROXY UDP4 203.0.113.5 198.51.100.1 4321 25\r\n",
    b"PROXY UNKNOWN " + b"x" * 100,
    v2(0x22, 0x11, V4_ADDRESSES),
    v2(0x11, 0x11, V4_ADDRESSES),
    v2(0x21, 0x11, V4_ADDRESSES[:-1]),
    v2(0x21, 0x21, V4_ADDRESSES),
    v2(0x21, 0x11, V4_ADDRESSES, 5000),
]


@pytest.mark.parametrize(("header", "proxied"), GOOD)
def test_good_header(header: bytes, proxied: Proxied) -> None:
    """Addresses are read, and it is known where the header ends; a part of it is not enough."""
    assert proxy.read(header + b"EHLO x\r\n") == (proxied, len(header))
    for length in range(len(header)):
        assert proxy.read(header[:length]) is None


@pytest.mark.parametrize("header", BAD)
def test_bad_header(header: bytes) -> None:
    """Anything else ends the connection."""
    with pytest.raises(ProxyError):
        proxy.read(header)


@given(st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", proxy.SIGNATURE]), st.binary(max_size=300))
def test_any_octets(start: bytes, octets: bytes) -> None:
    """Whatever comes, it is a header, too little of one, or none."""
    try:
        found = proxy.read(start + octets)
    except ProxyError:
        return
    assert found is None or 0 < found[1] <= len(start + octets)

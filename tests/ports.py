"""Ports for servers that are started in a moment.

They are from below those that the system gives to clients: one of these may be given away, to
another test, before the server has it.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress

RANGE = range(20_000, 32_000)


def free_ports(count: int, among: range = RANGE) -> list[int]:
    """Ports of the loopback that nobody has now, all different."""
    found: list[int] = []
    for port in random.sample(among, len(among)):
        if len(found) == count:
            return found
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
    raise RuntimeError("no port is free")


def free_port(among: range = RANGE) -> int:
    """One of them."""
    return free_ports(1, among)[0]

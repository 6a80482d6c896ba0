"""``IP:PORT``: where a listener listens, and how a section of the policy names a listener."""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop

import msgspec

from kumo_handlers.policy.networks import pack

EXPECTED = "IP:PORT, such as 127.0.0.1:25, 0:25, [::]:25 or localhost:25, or unix:/PATH"

_UNIX = "unix:"
_HIGHEST_PORT = 65_535
# The C library reads 0 as all of IPv4; localhost is one address here, so that a section of that
# name means the same on every machine.
_NAMES = {"0": "0.0.0.0", "localhost": "127.0.0.1"}  # noqa: S104 - what the user asks for


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """An address and a port, or the ``path`` of a Unix socket.

    ``str`` gives the one spelling in which endpoints are compared.
    """

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{_UNIX}{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@lru_cache(maxsize=1024)
def parse(text: str) -> Endpoint:
    """Read ``IP:PORT`` or ``unix:PATH``. An IPv4-mapped address is the IPv4 one.

    Raises ValueError.
    """
    if text.startswith(_UNIX + "/"):
        return Endpoint("", 0, text.removeprefix(_UNIX))
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT):
        raise ValueError(f"{text!r} is no endpoint")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r} is no endpoint")
    packed = pack(_NAMES.get(host, host))
    if packed is None or "%" in host:
        raise ValueError(f"{text!r} is no endpoint")
    return Endpoint(inet_ntop(AF_INET if len(packed) == 4 else AF_INET6, packed), int(port))  # noqa: PLR2004 - bytes of an IPv4 address


def canonical(text: str) -> str:
    """The one spelling of an endpoint; what is none stays as it is."""
    try:
        return str(parse(text))
    except ValueError:
        return text

"""The attributes of XCLIENT and XFORWARD: ``ADDR=192.0.2.1 PORT=25`` (Postfix's documents)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kumo_handlers.mail.session import Peer
from kumo_handlers.smtp import peername

if TYPE_CHECKING:
    from collections.abc import Collection

_ATTRIBUTE: Final = re.compile(r"([A-Za-z]+)=([\x21-\x7e]{1,255})")
_ENCODED: Final = re.compile(r"\+([0-9A-F]{2})")  # xtext, RFC 3461, 4
_UNKNOWN: Final = frozenset(("[UNAVAILABLE]", "[TEMPUNAVAIL]"))
_PORT: Final = re.compile(r"[0-9]{1,5}")
_HIGHEST_PORT: Final = 0xFFFF


def read(argument: str, known: Collection[str]) -> dict[str, str]:
    """Values by name; an unavailable one is empty. Raises ValueError."""
    values: dict[str, str] = {}
    for word in argument.split():
        found = _ATTRIBUTE.fullmatch(word)
        if found is None or (name := found[1].upper()) not in known or name in values:
            raise ValueError(word)
        value = _ENCODED.sub(lambda code: chr(int(code[1], 16)), found[2])
        values[name] = "" if value.upper() in _UNKNOWN else value
    if not values:
        raise ValueError(argument)
    return values


def peer(values: dict[str, str], host: str, port: str, otherwise: Peer) -> Peer:
    """The peer that attributes ``host`` and ``port`` say. Raises ValueError.

    An unavailable address is the address of nobody, which no rule trusts. Without ``host`` the
    address is ``otherwise``'s; with it the port of ``otherwise`` means nothing.
    """
    address = _host(values[host]) if host in values else otherwise.host
    number = 0 if host in values else otherwise.port
    return Peer(address, _port(values[port]) if port in values else number)


def _host(value: str) -> str:
    text = value[5:] if value[:5].upper() == "IPV6:" else value
    canonical = peername.canonical_host(text)
    if text and not canonical:
        raise ValueError(value)
    return canonical


def _port(value: str) -> int:
    if not value:
        return 0
    if not _PORT.fullmatch(value) or int(value) > _HIGHEST_PORT:
        raise ValueError(value)
    return int(value)

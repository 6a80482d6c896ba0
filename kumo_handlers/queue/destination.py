"""Where a message goes next: the relay that is set, or the recipient's mail exchanger."""

from __future__ import annotations

from typing import Protocol

import msgspec
from dns.exception import DNSException
from dns.resolver import NXDOMAIN

from kumo_handlers.errors import RelayError
from kumo_handlers.mail.reply import Reply, reply


class Relay(Protocol):
    """What is used of a `salmon.server.Relay`."""

    hostname: str | None
    port: int
    ssl: bool
    starttls: bool
    username: str | None
    password: str | None
    lmtp: bool

    def resolve_relay_host(self, To: str) -> str:  # noqa: N803 - Salmon's name
        """The mail exchanger of the recipient's domain."""


class Destination(msgspec.Struct, frozen=True):
    """One server. ``name`` is what rests when it does not answer."""

    name: str
    host: str
    port: int

    @property
    def site(self) -> str:
        """``host:port``, as records show it."""
        return f"{self.host}:{self.port}"


class NoDestination(msgspec.Struct, frozen=True):
    """There is no server for the domain, and there will be none: why."""

    reply: Reply


def name_of(relay: Relay, domain: str) -> str:
    """What rests together: everything behind one relay, or one domain's mail."""
    return f"{relay.hostname}:{relay.port}" if relay.hostname else domain


def find(relay: Relay, domain: str) -> Destination | NoDestination:
    """The server for mail to ``domain``. Raises `RelayError` where it cannot be known now."""
    if relay.hostname:
        return Destination(name_of(relay, domain), relay.hostname, relay.port)
    if domain.startswith("["):
        # RFC 5321, 4.1.3: the address of the server itself
        return Destination(domain, domain[1:-1].removeprefix("ipv6:"), relay.port)
    if not domain:
        return NoDestination(reply(550, "5.1.2", "the address has no domain"))
    try:
        host = relay.resolve_relay_host(f"postmaster@{domain}").removesuffix(".")
    except NXDOMAIN:
        return NoDestination(reply(550, "5.1.2", f"the domain {domain} does not exist"))
    except (DNSException, OSError) as error:
        raise RelayError(f"the mail exchanger of {domain} cannot be looked up: {error}") from error
    if not host:
        # RFC 7505, 3: a single MX of "." says that the domain takes no mail
        return NoDestination(reply(556, "5.1.10", f"the domain {domain} takes no mail"))
    return Destination(domain, host, relay.port)

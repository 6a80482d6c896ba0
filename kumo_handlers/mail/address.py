"""Envelope addresses (RFC 5321, 4.1.2; RFC 6531 for the internationalised ones).

Two things matter to everyone above. The local part is never touched: a VERP token is told apart
by its case. The domain is folded to the one form in which domains are compared: lower case,
A-labels (RFC 5890), no trailing dot, address literals in canonical spelling.
"""

from __future__ import annotations

import ipaddress
import re

import idna
import msgspec

from kumo_handlers.errors import AddressError

# RFC 5321, 4.5.3.1: 64 octets of local part, 255 of domain. Real senders exceed the first (VERP
# tokens, SRS), so only the path as a whole is bounded, with room for them.
MAX_PATH = 1000
MAX_DOMAIN = 255

_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]"
# Consecutive and trailing dots are against RFC 5321 and are in use (docomo.ne.jp among others).
_DOT_STRING = re.compile(rf"(?:{_ATOM}|\.)+")
_QUOTED_STRING = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\x20-\x7e])*"')
_HOST_NAME = re.compile(
    r"(?=.{1,255}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*"
)
# What nearly every address is, read in one go: atoms and a host name, all of it ASCII.
_LABEL = r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}+"
_ORDINARY = re.compile(rf"([a-zA-Z0-9!#$%&'*+/=?^_`{{|}}~\-.]++)@({_LABEL}(?:\.{_LABEL})*+)")
_SOURCE_ROUTE = re.compile(r"@[^\s@,:<>\"]+(?:,@[^\s@,:<>\"]+)*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Address(msgspec.Struct, frozen=True, gc=False):
    """One envelope address. The null reverse-path is ``Address("", "")``.

    ``domain`` is folded; it is empty for the null reverse-path and for ``<postmaster>``.
    ``domain_as_received`` keeps the spelling of the peer, which is what is relayed and logged.
    """

    local_part: str
    domain: str
    domain_as_received: str = ""

    def as_received(self) -> str:
        """The peer's own spelling. It is ``str()`` of the address, told twice as fast."""
        if self.domain_as_received:
            return f"{self.local_part}@{self.domain_as_received}"
        return f"{self.local_part}@{self.domain}" if self.domain else self.local_part

    __str__ = as_received

    @property
    def is_null(self) -> bool:
        """Whether this is the null reverse-path, ``<>``."""
        return not self.local_part and not self.domain


NULL = Address("", "")


def parse(path: str) -> Address:
    """Read what stood between the angle brackets of MAIL FROM or RCPT TO.

    ``""`` is the null reverse-path; ``postmaster`` needs no domain (RFC 5321, 4.5.1); a source
    route is read and set aside (RFC 5321, appendix C). Raises `AddressError`, with the reason.
    """
    if not path:
        return NULL
    if len(path) <= MAX_DOMAIN and (ordinary := _ORDINARY.fullmatch(path)):
        local_part, host = ordinary.groups()
        domain = host.lower()
        return Address(local_part, domain, "" if host == domain else host)
    return parse_by_parts(path)


def parse_by_parts(path: str) -> Address:
    """As `parse`, for any path but the null one: what is ordinary takes twice as long here."""
    if len(path) > MAX_PATH:
        raise AddressError(f"the path has {len(path)} characters, the limit is {MAX_PATH}")
    if control := _CONTROL.search(path):
        raise AddressError(f"the path has a control character, {control.group()!r}")
    if path.startswith("@") and (route := _SOURCE_ROUTE.match(path)):
        path = path[route.end() :]
    local_part, at, host = path.rpartition("@")
    if not at:
        if path.lower() == "postmaster":
            return Address(path, "")
        raise AddressError(f"{path!r} has no @")
    if not (_DOT_STRING.fullmatch(local_part) or _QUOTED_STRING.fullmatch(local_part)):
        raise AddressError(f"the local part {local_part!r} needs quotes, or is empty")
    domain = fold_domain(host)
    if not domain:
        raise AddressError(f"{path!r} has no domain")
    return Address(local_part, domain, "" if host == domain else host)


def fold_domain(name: str) -> str:
    """The one form in which domains are compared. ``""`` stays ``""``.

    Raises `AddressError` for what is neither a host name nor an address literal.
    """
    folded = name.lower() if name.isascii() else _a_label(name)
    folded = folded.removesuffix(".")
    if not folded or _HOST_NAME.fullmatch(folded):
        return folded
    if folded.startswith("[") and folded.endswith("]"):
        return _fold_literal(folded[1:-1])
    raise AddressError(f"{name!r} is not a domain")


def _a_label(name: str) -> str:
    """An internationalised name in A-label form (RFC 5891, with the mapping of UTS 46)."""
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError(f"{name!r} is not a domain: {error}") from error


def _fold_literal(inside: str) -> str:
    """``192.0.2.1``, ``ipv6:2001:db8::1`` (RFC 5321, 4.1.3), in canonical spelling."""
    try:
        if inside.startswith("ipv6:"):
            return f"[ipv6:{ipaddress.IPv6Address(inside[5:])}]"
        return f"[{ipaddress.ip_address(inside)}]"
    except ValueError as error:
        raise AddressError(f"[{inside}] is not an address literal") from error

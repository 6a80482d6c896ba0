"""Addresses in prose: where they stand, and which of them can be a recipient.

Prose is no protocol: an address stands between quotes, after ``mailto:``, with a full stop behind
it, or next to Japanese without a blank. Between angle brackets more is believed than outside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# RFC 5321, 4.5.3.1 allows 64 and 255 octets; VERP tokens are longer than the first.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?+"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL}){{0,30}}+"
_LITERAL = r"\[[0-9A-Fa-f:.IPVipv]{2,45}\]"
# The look-behind lets each run of characters be tried from its first one only.
BARE = rf"(?<!{_LOCAL}){_LOCAL}{{1,256}}+@(?:{_DOMAIN}|{_LITERAL})"
_QUOTED = rf'"[^"\s@][^"\n]{{0,62}}"@{_DOMAIN}'
_BRACKETED = r"<(?:mailto:|smtp:)?([^\s<>@:]{1,256}@[^\s<>@]{1,255})>"

ADDRESS = re.compile(rf"{_BRACKETED}|({_QUOTED}|{BARE})", re.IGNORECASE)

# What may stand before an address at the beginning of a line.
BULLET = r"^(?:[^\w@<\"'(\[/|=+.]|\d{1,3}[.)] |>){0,8}[\"'(\[]{0,2}"
# An address that begins a line, as the entries of a list do.
LEADING = re.compile(
    rf"{BULLET}(?:(?:smtp|rfc822|mailto) ?[:;=] ?)?({ADDRESS.pattern})", re.IGNORECASE
)

# ``;dda:SMTP=user@host`` of X.400, ``RFC822=`` of the same kind, ``To=`` of log lines.
# ``550-user@host`` is a line of a reply that runs over several (RFC 5321, 4.2.1).
_PREFIX = re.compile(
    r"(?:smtp|rfc-?822|to|rcpt|recipient|address|email)=|mailto:|[45][0-5]\d-", re.IGNORECASE
)
_WRAPPING = "'`*=|.{"
# ``cid:image001.png@01D5`` in HTML, and what people write to show a form.
_NO_DOMAIN = re.compile(r"\.(?:png|jpe?g|gif|bmp|css|js|php|html?)$", re.IGNORECASE)
_ANSWERABLE = frozenset(
    {
        *("postmaster", "mailer-daemon", "mailer_daemon", "mailerdaemon", "mail-daemon"),
        *("abuse", "hostmaster", "helpdesk", "help", "support", "noreply", "no-reply"),
        *("mailadmin", "mailmaster", "sysadmin", "administrator", "antispam", "spam", "security"),
        *("servicedesk", "customerservice", "customercare", "kundenservice", "serviceclient"),
        *("soporte", "suporte", "atendimento"),
    }
)


def clean(found: str) -> str:
    """An address as it was meant: without what prose put round it; ``""`` for none."""
    text = found.strip().strip("<>").strip()
    if text[:1] != '"':
        # As shown and as linked: ``ann@example.com<mailto:ann@example.com``.
        text = text.partition("<mailto:")[0]
        text = _strip_prefix(text)
        text = text.lstrip(_WRAPPING)
    local_part, at, domain = text.rpartition("@")
    domain = domain.rstrip(".,;:'`\"!?)")
    if not at or not local_part or not domain or _NO_DOMAIN.search(local_part):
        return ""
    if "//" in local_part:
        # A web address that has one in it.
        return ""
    return f"{local_part}@{domain}"


def _strip_prefix(text: str) -> str:
    prefix = _PREFIX.match(text) or (_PREFIX.search(text) if "=" in text else None)
    return text[prefix.end() :] if prefix else text


def find(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Each address in ``text``, cleaned, with the place where it stands."""
    if "@" not in text:
        return
    for match in ADDRESS.finditer(text):
        address = clean(match[1] or match[2])
        if address and (match[1] or "." in address.rpartition("@")[2] or address.endswith("]")):
            yield address, match


def within(text: str) -> list[str]:
    """The addresses in ``text``, each once."""
    return unique(address for address, _ in find(text))


def unique(found: Iterator[str] | list[str]) -> list[str]:
    """Each address once, in order; case does not tell two recipients apart in prose."""
    return list({address.lower(): address for address in reversed(list(found))}.values())[::-1]


def is_role(address: str) -> bool:
    """Whether one writes there for help: a notice names it without having failed to reach it."""
    return address.partition("@")[0].lower() in _ANSWERABLE

"""Names for what must not be shown: the same one for the same thing, wherever it stands.

Addresses, hosts, IPs, URLs and the names of people are replaced by ``user1@host2.example``,
``192.0.2.3``, ``Name4``: of the same kind, so that whoever reads the text finds the same things
at the same places. Role addresses (``postmaster``) keep their local part, because a reader goes
by it. Text is taken in any encoding that has ASCII in it, one character for each byte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROLES = frozenset(
    {
        *("mailer-daemon", "postmaster", "daemon", "abuse", "root", "hostmaster", "complaints"),
        *("noreply", "no-reply", "donotreply", "bounce", "bounces", "fbl", "feedback", "staff"),
        *("mailerdaemon", "mdaemon", "postmaster1", "administrator", "arf", "scomp", "majordomo"),
    }
)
# Shorter ones are words of the language as well.
MIN_NAME = 4
MIN_LOCAL_PART = 3
# Parts of names that reports are made of, and that therefore tell nothing about anybody.
_COMMON = frozenset(
    {
        *("mail", "email", "message", "system", "user", "delivery", "admin", "support", "team"),
        *("info", "service", "services", "group", "list", "news", "undelivered", "returned"),
        *("status", "report", "subsystem", "original", "failed", "failure", "recipient", "test"),
        *("from", "with", "text", "address", "account", "server", "error", "unknown", "sender"),
        *(
            "the",
            "and",
            "for",
            "not",
            "via",
            "esmtp",
            "smtp",
            "subject",
            "content",
            "notification",
            "mailbox",
            "received",
        ),
    }
)
_TOP = (
    "[a-z]{2}|com|net|org|edu|gov|mil|int|info|biz|name|pro|mobi|asia|coop|aero|museum|jobs|"
    "travel|arpa|local|localdomain|localhost|lan|internal|intranet|corp|home|example|test|invalid|"
    "cloud|online|shop|site|store|app|dev|email|mail|tech|xyz|top|club|news|blog|live|world"
)
_ATOM = r"[\w!#$%&'*+/=?^`{|}~.-]"
_HOST = r"[\w-]+(?:\.[\w-]+)*"
_PATTERN = (
    r"(?P<url>https?://[^\s<>\"')\]}]+)"
    rf"|(?P<address>(?:\"[^\"\r\n]{{1,64}}\"|{_ATOM}{{1,200}})@(?:\[[\w.:]+\]|{_HOST}))"
    r"|(?<![\w.])(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\d)"
    r"|(?<!\w)(?P<ip6>(?:[0-9a-f]{1,4}:+){3,7}[0-9a-f]{1,4})(?!\w)"
    rf"|(?<![\w@.-])(?P<host>(?:\w(?:[\w-]*\w)?\.)+(?:{_TOP}))(?!\w|[.-]\w)"
)
# QUIRK: Exchange 5.5 writes ``dda:SMTP=a@b``, and logs write ``to=a@b``.
_LABEL = re.compile(r"(?:smtp|to|from|for|orig_to|rcpt|orcpt|recipient|sender)=", re.IGNORECASE)
# ``bounce+ann=example.com``, a return path that names whom the message went to (VERP).
_VERP = re.compile(r"([^=]{1,100})([+-])([^=+-]{1,64})=([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
_HOST_OF_URL = re.compile(rf"(https?)://({_HOST})(.*)", re.IGNORECASE | re.DOTALL)
_UNTOUCHED = frozenset({"127.0.0.1", "0.0.0.0", "localhost"})  # noqa: S104 - nothing is bound


class Pseudonyms:
    """The names given so far.

    ``kept`` are hosts, with all below them, that stay what they are; ``""`` is all hosts.
    """

    def __init__(self, kept: Iterable[str] = ()) -> None:
        self._kept = tuple(host.lower() for host in kept)
        self._given: dict[tuple[str, str], int] = {}
        self._tokens: dict[str, str] = {}
        self._pattern = re.compile(_PATTERN, re.IGNORECASE)

    def learn(
        self, texts: Iterable[str], names: Iterable[str] = (), phrases: Iterable[str] = ()
    ) -> None:
        """Look for what stands alone elsewhere: local parts, names of people, whole phrases."""
        for text in texts:
            for found in self._pattern.finditer(text):
                if found.lastgroup == "address":
                    self._learn_local_part(found["address"])
        for name in names:
            for token in (name, *name.split()):
                self._learn_name(token)
        for phrase in phrases:
            self._learn_name(phrase)
        tokens = sorted(map(re.escape, self._tokens), key=len, reverse=True)
        alone = rf"|(?<![\w@.-])(?P<token>{'|'.join(tokens)})(?![\w@-])" if tokens else ""
        self._pattern = re.compile(_PATTERN + alone, re.IGNORECASE)

    def apply(self, text: str) -> str:
        """The text with everything replaced that has a pseudonym, or needs one."""
        return self._pattern.sub(self._replace, text)

    def _learn_local_part(self, address: str) -> None:
        local_part = _unlabelled(address.rpartition("@")[0].lower())
        if len(local_part) >= MIN_LOCAL_PART and local_part not in _COMMON | ROLES:
            self._tokens[local_part] = self._user(local_part)

    def _learn_name(self, name: str) -> None:
        lowered = name.lower()
        if len(name) >= MIN_NAME and not name.isdecimal() and lowered not in _COMMON | ROLES:
            self._tokens.setdefault(lowered, f"Name{self._number('name', name)}")

    def _replace(self, found: re.Match[str]) -> str:
        text = found.group()
        if found.lastgroup == "url":
            return self._url(text)
        if found.lastgroup == "address":
            local_part, _, host = text.rpartition("@")
            return f"{self._local_part(local_part)}@{self._domain(host)}"
        if found.lastgroup == "token":
            return self._tokens[text.lower()]
        return self._domain(text)

    def _local_part(self, text: str) -> str:
        label = _LABEL.match(text)
        if label is not None:
            return label.group() + self._local_part(text[label.end() :])
        if verp := _VERP.fullmatch(text):
            own, separator, named, host = verp.groups()
            return f"{self._user(own)}{separator}{self._local_part(named)}={self._domain(host)}"
        return text if text.lower() in ROLES else self._user(text)

    def _user(self, local_part: str) -> str:
        return f"user{self._number('user', local_part)}"

    def _domain(self, host: str) -> str:
        """A host's name, an address literal, or an IP."""
        if host.startswith("["):
            return f"[{self._domain(host[1:-1])}]"
        lowered = host.lower()
        if lowered in _UNTOUCHED or self._is_kept(lowered):
            return host
        if ":" in host:
            return f"2001:db8::{self._number('ip6', lowered):x}"
        number = self._number("host", lowered)
        if host.replace(".", "").isdecimal():
            return f"192.0.2.{number}" if number < 256 else f"198.18.{number >> 8}.{number & 255}"  # noqa: PLR2004 - RFC 5737, RFC 2544
        return f"host{number}.example" if "." in host else f"host{number}"

    def _url(self, url: str) -> str:
        found = _HOST_OF_URL.fullmatch(url)
        if found is None:
            return "https://host.example"
        scheme, host, rest = found.groups()
        path = f"/{self._number('path', rest)}" if rest else ""
        return f"{scheme}://{self._domain(host)}{path}"

    def _is_kept(self, host: str) -> bool:
        return any(not each or host == each or host.endswith(f".{each}") for each in self._kept)

    def _number(self, kind: str, text: str) -> int:
        return self._given.setdefault((kind, text.lower()), len(self._given) + 1)


def _unlabelled(local_part: str) -> str:
    label = _LABEL.match(local_part)
    return local_part[label.end() :] if label is not None else local_part

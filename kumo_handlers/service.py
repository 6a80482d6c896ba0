"""The URL of a server elsewhere, whose password no text ever shows; and the client it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from types import ModuleType
    from urllib.parse import SplitResult

_HIDDEN = "***"
# How the names end whose values are secrets, small letters and digits alone: libpq's, AMQP's and
# what webhooks are given, accessToken and X-Amz-Signature among them; and names that are one whole.
_SECRET_ENDS = (
    *("password", "passwd", "passphrase", "pwd", "secret", "key", "token", "auth"),
    *("authorization", "sig", "signature", "credential", "credentials"),
)
_SECRET_NAMES = frozenset({"pass", "pw", "code", "jwt", "hmac"})
_NO_WORD = re.compile(r"[\W_]+")
# a word and its value outside a query, as in libpq's host=db password='a b'
_PAIR = re.compile(r"([^\s=&?;,/]+\s*=\s*)('(?:[^'\\]|\\.)*'?|[^\s&;]+)")
_HOSTLESS = frozenset({"sqlite", "postgresql", "postgres"})  # a file; a socket


class ServiceURL(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """Where a server is. ``str`` and ``repr`` leave user, password and secrets of the query out.

    ``text`` is the URL as it was written, secrets and all: for the client library alone.
    ``parameters`` are those of the query, their percent signs undone.
    """

    scheme: str
    host: str
    text: str
    parameters: dict[str, str] = {}

    def __str__(self) -> str:
        return masked(self.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({masked(self.text)!r})"


def parse(text: str, schemes: frozenset[str]) -> ServiceURL:
    """Read a URL whose scheme is one of ``schemes``.

    Raises ValueError, without the text: it may hold a password.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("this is no URL") from None
    if parts.scheme not in schemes or port == 0 or not _is_whole(parts, text):
        raise ValueError(f"this is no URL of {', '.join(sorted(schemes))}")
    if parts.netloc and "@" not in parts.netloc and "@" in parts.path + parts.fragment:
        raise ValueError("an @ behind the host: write / in a password as %2F, @ elsewhere as %40")
    return ServiceURL(
        scheme=parts.scheme,
        host=host or "",
        text=text,
        parameters=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def _is_whole(parts: SplitResult, text: str) -> bool:
    """Two slashes, except for a file, and a host, where one is needed."""
    if parts.scheme != "sqlite" and "://" not in text:
        return False
    return bool(parts.hostname) or parts.scheme in _HOSTLESS


def masked(text: str) -> str:
    """The URL as a log may show it: no user's password, no secret of the query.

    What was meant as one, with a slash too few, and libpq's ``password=``, are hidden likewise.
    """
    scheme, credentials, rest, query = _split(text)
    rest = _PAIR.sub(lambda pair: _mask_pair(pair[0]), rest)
    if credentials is not None:
        user, colon, _ = credentials.partition(":")
        rest = f"{user}{colon and colon + _HIDDEN}@{rest}"
    return f"{scheme}{rest}{query and '?'}{'&'.join(map(_mask_pair, query.split('&')))}"


def _split(text: str) -> tuple[str, str | None, str, str]:
    """Scheme with its slashes, credentials, host and path, query.

    A password with a ``/`` or a ``?`` of its own is still one, though RFC 3986 (3.2.1) wants them
    written as ``%2F`` and ``%3F``: people forget it.
    """
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        scheme, rest = "", text
    before, at, after = rest.partition("?")[0].rpartition("@")
    if at:
        credentials, rest = before, after + rest[len(before) + 1 + len(after) :]
    else:
        credentials, at, rest = rest.rpartition("@")
    path, _, query = rest.partition("?")
    return scheme + slashes, credentials if at else None, path, query


def _mask_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={_HIDDEN}" if equals and _is_secret(name) else pair


def _is_secret(name: str) -> bool:
    """Whether the value of a word with this name is one."""
    word = _NO_WORD.sub("", unquote(name).lower())
    return word in _SECRET_NAMES or word.endswith(_SECRET_ENDS)


def masked_within(given: object) -> object:
    """A value of whatever make, `masked` wherever there is text in it."""
    if isinstance(given, str):
        return masked(given)
    if isinstance(given, bytes | bytearray):
        return masked(given.decode("latin-1")).encode("latin-1")
    if isinstance(given, Mapping):
        return {
            masked_within(name): _HIDDEN
            if isinstance(name, str) and _is_secret(name)
            else masked_within(value)
            for name, value in given.items()
        }
    if isinstance(given, list | tuple | set | frozenset):
        inner = map(masked_within, given)
        return tuple(inner) if isinstance(given, tuple) else [*inner]
    return given


def without_secrets(message: str, url: ServiceURL) -> str:
    """A client library's error text, with what the URL keeps secret taken out.

    Libraries quote the whole URL, or the password alone, in their errors.
    """
    message = message.replace(url.text, str(url))
    for secret in secrets(url):
        message = message.replace(secret, _HIDDEN)
    return message


def secrets(url: ServiceURL) -> list[str]:
    """Every secret of a URL, as written and with its percent signs undone, the longest first."""
    _, credentials, rest, query = _split(url.text)
    found = {(credentials or "").partition(":")[2]}
    if "://" not in url.text:  # the first colon may be the scheme's
        found.add((credentials or "").rpartition(":")[2])
    for pair in (*query.split("&"), *(pair[0] for pair in _PAIR.finditer(rest))):
        name, _, value = pair.partition("=")
        if _is_secret(name):
            found.add(value.strip(" '"))
    return sorted({*found, *map(unquote, found)} - {""}, key=len, reverse=True)


def client(module: str, extra: str) -> ModuleType | Any:  # noqa: ANN401 - whatever the library is
    """Import a client library, which only those who need it have installed.

    Raises `ConfigurationError` that says what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        problem = Problem(
            expected=f"the extra {extra!r}: pip install 'kumo-handlers[{extra}]'",
            message=f"{error.name or module} is not installed",
        )
        raise ConfigurationError([problem]) from error

"""The URL of a server elsewhere, whose password no text ever shows; and the client it needs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from types import ModuleType

_HIDDEN = "***"
# the words in a URL's query whose values are secrets: libpq's, AMQP's and what webhooks are given
_SECRET_WORDS = frozenset({"password", "sslpassword", "secret", "key", "token", "auth"})


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
    if parts.scheme not in schemes or port == 0:
        raise ValueError(f"this is no URL of {', '.join(sorted(schemes))}")
    return ServiceURL(
        scheme=parts.scheme,
        host=host or "",
        text=text,
        parameters=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def masked(text: str) -> str:
    """The URL as a log may show it: no user's password, no secret of the query."""
    scheme, credentials, rest, query = _split(text)
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
    return f"{name}={_HIDDEN}" if equals and unquote(name).lower() in _SECRET_WORDS else pair


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
    _, credentials, _, query = _split(url.text)
    found = {(credentials or "").partition(":")[2]}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if unquote(name).lower() in _SECRET_WORDS:
            found.add(value)
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

"""Certificates of a listener, and what is known of a connection once it is encrypted.

Files are looked at for each handshake and read again when they changed, so that a renewed
certificate needs no restart. New files that cannot be used are said in the log, and the old ones
stay in force.
"""

from __future__ import annotations

import logging
import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from kumo_handlers.policy.listener import Listener

_log = logging.getLogger(__name__)

# The names of a subject's parts as RFC 4514, 3 abbreviates them
_SHORT: Final = {
    "commonName": "CN",
    "countryName": "C",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
}


class Files(NamedTuple):
    """Which files a context is made of; without a certificate it has a self-signed one."""

    certificate: str | None
    private_key: str | None
    client_ca: str | None


class _Made(NamedTuple):
    """A context, and how its files looked."""

    context: ssl.SSLContext
    stamp: tuple[object, ...]


class Certificates:
    """The TLS contexts of one listener: one for each set of files that its clients may get."""

    def __init__(self) -> None:
        self._made: dict[Files, _Made] = {}

    def context(self, listener: Listener) -> ssl.SSLContext:
        """The context for a client. Raises `ConfigurationError` if there never was a good one."""
        wanted = files(listener)
        made, stamp = self._made.get(wanted), _stamp(wanted)
        if made is not None and made.stamp == stamp:
            return made.context
        try:
            made = _Made(_make(wanted, listener.hostname), stamp)
        except ConfigurationError as error:
            if made is None:
                raise
            _log.error("the old certificate stays in force: %s", error)
            made = _Made(made.context, stamp)
        self._made[wanted] = made
        return made.context


def files(listener: Listener) -> Files:
    """Those that the listener's options name."""
    return Files(
        listener.tls_certificate, listener.tls_private_key, listener.tls_required_client_ca
    )


def _stamp(named: Files) -> tuple[object, ...]:
    """What changes when a file does."""
    stamps: list[object] = []
    for name in filter(None, named):
        try:
            status = os.stat(name)  # noqa: PTH116 - three of them for each handshake
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(stamps)


def _make(named: Files, hostname: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.options |= ssl.OP_NO_RENEGOTIATION
    if named.certificate is None and named.private_key is not None:
        raise ConfigurationError(
            Problem(
                message="needs its certificate",
                option="tls_private_key",
                value=repr(named.private_key),
                expected="tls_certificate beside it",
            )
        )
    if named.certificate is None:
        _load_self_signed(context, hostname)
    else:
        _load(context, named)
    if named.client_ca is not None:
        _require_client(context, named.client_ca)
    return context


def _load(context: ssl.SSLContext, named: Files) -> None:
    _require_readable("tls_certificate", named.certificate)
    _require_readable("tls_private_key", named.private_key)
    try:
        context.load_cert_chain(str(named.certificate), named.private_key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None)
        if named.private_key is not None and reason == "KEY_VALUES_MISMATCH":
            raise _unusable("tls_private_key", named.private_key, error) from error
        raise _unusable("tls_certificate", named.certificate, error) from error


def _require_readable(option: str, name: str | None) -> None:
    """The ssl module does not say which of its files it could not read."""
    if name is None:
        return
    try:
        Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise _unusable(option, name, error) from error


def _load_self_signed(context: ssl.SSLContext, hostname: str) -> None:
    """The ssl module reads files only: this one is for our eyes, and gone at once."""
    from kumo_handlers.smtp import self_signed  # noqa: PLC0415 - a third of a start would be spent

    with tempfile.NamedTemporaryFile(prefix="self-signed-", suffix=".pem") as file:
        file.write(self_signed.make(hostname))
        file.flush()
        context.load_cert_chain(file.name)


def _require_client(context: ssl.SSLContext, client_ca: str) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(client_ca)
    except (OSError, ValueError) as error:
        raise _unusable("tls_required_client_ca", client_ca, error) from error


def _unusable(option: str, value: str | None, error: Exception) -> ConfigurationError:
    reason: object = error
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        reason = error.strerror
    return ConfigurationError(
        Problem(message=f"cannot be used: {reason}", option=option, value=repr(value))
    )


def describe(connection: ssl.SSLObject) -> dict[str, Any]:
    """What `Session.tls` holds: ``tls_cipher`` and so on, for metadata and records."""
    cipher = connection.cipher()
    # a sequence of relative names, each a sequence of (key, value), which typeshed cannot say
    certificate: dict[str, Any] = dict(connection.getpeercert() or {})
    names = [
        f"{_SHORT.get(key, key)}={value}"
        for part in certificate.get("subject", ())
        for key, value in part
    ]
    return {
        "tls_cipher": cipher[0] if cipher else "",
        "tls_protocol_version": connection.version() or "",
        "tls_peer_subject_name": names,
    }

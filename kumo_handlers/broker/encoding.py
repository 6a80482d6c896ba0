"""How values travel: a version, then MessagePack; other nodes may be older or newer than this one.

Text may hold octets that are no UTF-8, surrogate-escaped, and MessagePack has no such text. A value
with such text says so in its second octet; there it travels as an extension, or as octets where
it is a key.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from msgspec.msgpack import Encoder, Ext

from kumo_handlers.mail import octets

VERSION: Final = 1
_PLAIN, _ESCAPED = 0, 1
_STRAY = 1  # the extension's code

T_ = TypeVar("T_")
_encoder = Encoder()


class UnknownVersionError(ValueError):
    """Another version wrote it: not for us, and not to be thrown away."""


class UndecodableError(ValueError):
    """It says that it is of our version, and is not."""


def encode(value: msgspec.Struct) -> bytes:
    """The value, with the version in front."""
    try:
        return bytes((VERSION, _PLAIN)) + _encoder.encode(value)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, builtin_types=(bytes,))
        return bytes((VERSION, _ESCAPED)) + _encoder.encode(_escaped(plain))


def decode(message: bytes, kind: type[T_]) -> T_:
    """The value. Raises `UnknownVersionError` or `UndecodableError`."""
    if not message or message[0] != VERSION:
        version = message[0] if message else None
        raise UnknownVersionError(f"version {version}; this node understands {VERSION}")
    encoded = memoryview(message)[2:]
    try:
        if message[1:2] == bytes((_PLAIN,)):
            return msgspec.msgpack.decode(encoded, type=kind)
        plain = msgspec.msgpack.decode(encoded, ext_hook=_text)
        return msgspec.convert(_unescaped(plain), kind)
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise UndecodableError(str(error)) from error


def _escaped(value: Any) -> Any:  # noqa: ANN401 - what MessagePack knows
    if isinstance(value, str):
        return value if octets.is_utf8(value) else Ext(_STRAY, octets.of_text(value))
    if isinstance(value, dict):
        return {
            name if octets.is_utf8(name) else octets.of_text(name): _escaped(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value


def _unescaped(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, dict):
        return {
            octets.to_text(name) if isinstance(name, bytes) else name: _unescaped(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return value


def _text(code: int, stray: memoryview) -> str:
    if code != _STRAY:
        raise ValueError(f"extension {code}")
    return octets.to_text(bytes(stray))

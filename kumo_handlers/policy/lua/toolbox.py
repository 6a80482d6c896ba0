"""The functions for policies that only turn one value into another."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
import tomli

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import duration, toml_pieces
from kumo_handlers.policy.lua.vocabulary import ENVIRONMENT, ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_JSON: Final = 16 * 1024 * 1024
MAX_TOML: Final = 16 * 1024 * 1024
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
# JSON with comments, as KumoMTA loads it: strings first, for they may hold what looks like one.
_COMMENT: Final = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def seconds(ttl: object) -> float:
    """A time as options write it."""
    try:
        return duration.parse(ttl)
    except ValueError as error:
        raise ValueError(f"{ttl!r}: expected {duration.EXPECTED}") from error


def getenv(name: str) -> str | None:
    """A variable of the environment, if it is one of those that policies may see."""
    allowed = name in ENVIRONMENT or name.startswith(ENVIRONMENT_PREFIX)
    return os.environ.get(name) if allowed else None


def bits(text: str, is_block: bool) -> str | None:  # noqa: FBT001 - Lua has no keywords
    """The bits of an address, or of a block's prefix; each family begins with a letter.

    ``127.0.0.1:25`` and ``[::1]:25`` are addresses too. None for what is no address; a block
    that is none raises ValueError.
    """
    host = _without_port(text)
    try:
        network = ipaddress.ip_network(host if is_block else host.partition("/")[0])
    except ValueError:
        if is_block:
            raise
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen == network.max_prefixlen:
        network = ipaddress.ip_network(mapped)
    number = int(network.network_address)
    text_of_bits = f"{number:0{network.max_prefixlen}b}"[: network.prefixlen]
    return ("4" if network.version == 4 else "6") + text_of_bits  # noqa: PLR2004 - IPv4


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.partition(":")
    return host if colon and port.isdigit() else text


def _bounded(text: str, most: int) -> str:
    """A text that a script may have parsed: nothing stops a parser in between."""
    if not isinstance(text, str):
        raise ValueError(f"a text is wanted, got {text!r}")  # noqa: TRY004 - as all of them
    if len(text) > most:
        raise ValueError(f"the text is longer than {most} characters")
    return text


def json_parse(text: str) -> Any:  # noqa: ANN401 - any JSON
    """The value of a JSON text."""
    try:
        return json.loads(_bounded(text, MAX_JSON))
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}, line {error.lineno}") from error


def json_encode(value: object) -> str:
    """A value as JSON, on one line."""
    return msgspec.json.encode(value).decode()


def json_encode_pretty(value: object) -> str:
    """A value as JSON, for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def toml_parse(text: str) -> dict[str, Any]:
    """The tables of a TOML text."""
    try:
        return toml_pieces.parse(_bounded(text, MAX_TOML))
    except tomli.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error.msg}, line {error.lineno}") from error


def toml_encode(table: Mapping[str, Any]) -> str:
    """A table as TOML: its values first, then its tables under headers of their own."""
    if not isinstance(table, dict):
        raise ValueError("only a table with names can be TOML")  # noqa: TRY004 - as all of them
    return "".join(f"{line}\n" for line in _toml_lines(table, ""))


def _toml_lines(table: Mapping[str, Any], path: str) -> list[str]:
    lines, inner = [], []
    for name, value in table.items():
        key = name if _BARE_KEY.fullmatch(name) else json.dumps(name)
        if isinstance(value, dict):
            inner += ["", f"[{path}{key}]", *_toml_lines(value, f"{path}{key}.")]
        else:
            lines.append(f"{key} = {_toml_value(value)}")
    return lines + inner


def _toml_value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name)} = {_toml_value(item)}" for name, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value)


def loading(parse: Callable[[str], Any], read: Callable[[str], bytes]) -> Callable[[str], Any]:
    """``parse`` for a file, its name in the error."""

    def load(path: str) -> Any:  # noqa: ANN401 - any value
        text = read(path).decode("utf-8-sig", "surrogateescape")
        if parse is json_parse:
            text = _COMMENT.sub(lambda match: match[1] or " ", text)
        try:
            return parse(text)
        except ValueError as error:
            raise ConfigurationError(Problem(message=str(error), file=path)) from error

    return load


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "bits": bits,
    "getenv": getenv,
    "seconds": seconds,
    "json_parse": json_parse,
    "json_encode": json_encode,
    "json_encode_pretty": json_encode_pretty,
    "toml_parse": toml_parse,
    "toml_encode": toml_encode,
    "toml_encode_pretty": toml_encode,
}

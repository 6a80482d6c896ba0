"""The sources of rules: TOML files, JSON files, tables given in place.

A source is read once, whole; what cannot be read or parsed is a `ConfigurationError` that names
the file and the line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import tomli

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import lua_lists, toml_pieces
from kumo_handlers.policy.source_lines import find_repeated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# Python's limit; TOML may part digits.
_LONG_NUMBER = re.compile("[0-9_]{4301,}")

# Modification time, size and inode; None for what is not there.
Stamp = tuple[int, int, int] | None


class Source(msgspec.Struct, frozen=True):
    """One source: what it is called, a hash of its content, its tables.

    Of a file also its text, and the stamp it had before it was read. The rows of a table in a
    database are not here: whoever reads them has them.
    """

    name: str
    digest: str
    tables: dict[str, Any]
    text: str = ""
    stamp: Stamp = None
    warnings: tuple[Problem, ...] = ()
    is_table: bool = False

    @property
    def is_file(self) -> bool:
        """Whether there is a file to point at, and to watch."""
        return self.stamp is not None


def from_file(name: str) -> Source:
    """Read a TOML file, or a JSON file where the name ends in ``.json``."""
    before = stamp(name)
    read = content(name)
    text = decode(name, read)
    tables, warnings = (_json if name.endswith(".json") else _toml)(name, text)
    return Source(name, _digest(read), tables, text, before, warnings)


def from_mapping(name: str, tables: Mapping[str, Any]) -> Source:
    """A table given in place, in Python settings."""
    return Source(name, _digest(repr(tables).encode()), dict(tables))


def stamp(name: str) -> Stamp:
    """What changes when a file does: cheap enough to be asked each second."""
    try:
        status = Path(name).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def signature(files: Iterable[str]) -> tuple[Stamp, ...]:
    """The stamps of all ``files``: what a watcher compares."""
    return tuple(map(stamp, files))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content(name: str) -> bytes:
    """The bytes of a file. Raises `ConfigurationError`."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        reason = error.strerror or "it is gone"
        raise _unreadable(f"cannot be read: {reason}", name) from error


def decode(name: str, read: bytes) -> str:
    """The text of a file that was read. Raises `ConfigurationError`, with the line."""
    try:
        # Editors on Windows begin a file with a byte order mark; it says nothing about mail.
        return read.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = read.count(b"\n", 0, error.start) + 1
        raise _unreadable("is not UTF-8", name, line) from error


def _toml(name: str, text: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    try:
        return _parse_toml(name, text), ()
    except tomli.TOMLDecodeError as error:
        lists = list(lua_lists.find(text))
        if not lists:
            raise _unreadable(f"is not TOML: {error.msg}", name, error.lineno) from error
    try:
        tables = _parse_toml(name, lua_lists.in_brackets(text, lists))
    except tomli.TOMLDecodeError as error:
        raise _unreadable(f"is not TOML: {error.msg}", name, error.lineno) from error
    return tables, (_braces(name, text, lists),)


def _parse_toml(name: str, text: str) -> dict[str, Any]:
    """What the parser makes of it. Raises what it says of text that is not TOML."""
    try:
        return toml_pieces.parse(text)
    except RecursionError as error:
        raise _unreadable("is nested too deeply", name) from error
    except tomli.TOMLDecodeError:
        raise
    except ValueError as error:
        raise _long_number(name, text) from error


def _braces(name: str, text: str, lists: list[lua_lists.LuaList]) -> Problem:
    """One warning a file: it may have a hundred thousand of them."""
    first = lists[0]
    inside = text[first.start + 1 : first.end]
    more = f", and {len(lists) - 1} more like it" if len(lists) > 1 else ""
    return Problem(
        message=f"a list in braces is read as a list in brackets{more}",
        file=name,
        line=first.line,
        value=f"{{{inside}}}",
        expected=f"[{inside}]",
    )


def _json(name: str, text: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    try:
        tables = json.loads(text, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise _unreadable(f"is not JSON: {error.msg}", name, error.lineno) from error
    except RecursionError as error:
        raise _unreadable("is nested too deeply", name) from error
    except _RepeatedError as error:
        lines = [line for path, line in find_repeated(text).items() if path[-1] == error.args[0]]
        message = f"{error.args[0]!r} is there twice"
        raise _unreadable(message, name, min(lines, default=None)) from error
    except ValueError as error:
        raise _long_number(name, text) from error
    if not isinstance(tables, dict):
        raise _unreadable("is not an object of domains", name, 1)
    return tables, ()


class _RepeatedError(Exception):
    """An object with a key twice; the parser would keep the last."""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, if each key is there once: a rule must not vanish behind another."""
    made = dict(pairs)
    if len(made) != len(pairs):
        ((repeated, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _RepeatedError(repeated)
    return made


def _long_number(name: str, text: str) -> ConfigurationError:
    """The error of a number that has more digits than Python reads, and parsers know no line of."""
    digits = _LONG_NUMBER.search(text)
    line = text.count("\n", 0, digits.start()) + 1 if digits else None
    return _unreadable("has a number of too many digits", name, line)


def _unreadable(message: str, name: str, line: int | None = None) -> ConfigurationError:
    return ConfigurationError(Problem(message=message, file=name, line=line))

"""Messages from where people keep them: a file, standard input, a Maildir, an mbox."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# RFC 4155, appendix A: the separator ends with a date, and with its year.
_SEPARATOR = re.compile(rb"From .*\d{4}\s*\Z")
# The mboxrd dialect: a line that begins as a separator got a ">" in front.
_QUOTED = re.compile(rb">+From ")
_MAILDIR = ("new", "cur")


def messages(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each message and what to call it; ``-``, and no names at all, is standard input.

    Raises `ConfigurationError` for a folder that is no Maildir, OSError for what cannot be read.
    """
    for name in names or ("-",):
        if name == "-":
            yield from _of_file("standard input", sys.stdin.buffer)
        elif Path(name).is_dir():
            yield from _of_maildir(Path(name))
        else:
            with Path(name).open("rb") as file:
                yield from _of_file(name, file)


def _of_maildir(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The messages of a Maildir, new and seen, by name."""
    if not all((folder / each).is_dir() for each in _MAILDIR):
        raise ConfigurationError(
            Problem(message="no Maildir", file=str(folder), expected="a folder with new/ and cur/")
        )
    for each in _MAILDIR:
        for path in sorted((folder / each).iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield str(path), path.read_bytes()


def _of_file(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The messages of an mbox, numbered, or the one message that a file is."""
    number = 0
    message: list[bytes] = []
    is_mbox = False
    after_blank = True
    for line in lines:
        if after_blank and (is_mbox or not message) and _SEPARATOR.match(line):
            if message:
                number += 1
                yield f"{name}:{number}", _joined(message)
                message = []
            is_mbox = True
        else:
            message.append(_unquoted(line) if is_mbox else line)
        after_blank = not line.strip()
    yield (f"{name}:{number + 1}" if number else name), _joined(message)


def _unquoted(line: bytes) -> bytes:
    return line[1:] if _QUOTED.match(line) else line


def _joined(message: list[bytes]) -> bytes:
    return b"".join(message)

"""Where in a TOML or JSON text a key stands: a scanner for people's errors.

The parsers that read the rules do not say lines, and a rule file of a million domains is right
nearly always. So this runs only when there is something to point at. It trusts that the text is
valid, and for text that is not it gives some lines, never an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import tomli

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str, ...]

_TOKEN = re.compile(
    r"""
    (?P<blank> [ \t\r]+ | \#[^\n]* )
  | (?P<newline> \n )
  | (?P<string> \"{3} (?:\\.|[^\\])*? \"{3,5} | '{3} .*? '{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
  | (?P<mark> [][{}=:,.] )
  | (?P<word> [^][{}=:,.\s"'#]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One token: its kind, its text, where it starts, and on which line."""

    kind: str
    text: str
    offset: int
    line: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a TOML or JSON text, blanks and comments left out."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match.group()
        if kind != "blank":
            yield Token(kind, token, match.start(), line)
            line += token.count("\n")


def find_lines(text: str, *, deepest: int = 100) -> dict[Path, int]:
    """The line of each table and each key of a text, by its path from the top.

    ``("listener", "127.0.0.1:25", "*.example.com", "log_oob")`` is such a path, however the text
    spells it: headers, dotted keys, inline tables. Paths longer than ``deepest`` are left out.
    """
    scan = _Scan(deepest)
    for token in tokens(text):
        scan.feed(token)
    return scan.lines


def find_repeated(text: str) -> dict[Path, int]:
    """The keys that a JSON text has twice, with the line of the second: JSON itself allows it."""
    scan = _Scan(deepest=100)
    for token in tokens(text):
        scan.feed(token)
    return scan.repeated


class _Scan:
    """The state between two tokens.

    ``open`` are the brackets not yet closed, with the path each belongs to; ``key`` is the key
    being read, None while a value is.
    """

    def __init__(self, deepest: int) -> None:
        self.deepest = deepest
        self.lines: dict[Path, int] = {}
        self.repeated: dict[Path, int] = {}
        self.open: list[tuple[str, Path]] = []
        self.table: Path = ()
        self.path: Path = ()
        self.key: list[str] | None = []

    def feed(self, token: Token) -> None:
        """Take the next token."""
        if token.kind == "newline":
            if not self.open:
                self.key, self.path = [], ()
        elif token.kind == "mark":
            self._mark(token)
        elif self.key is not None:
            self.key.append(_unquote(token))

    def _mark(self, token: Token) -> None:
        mark = token.text
        if mark in "[{":
            self._opened(mark)
        elif mark in "]}" and self.open:
            self._closed(token)
        elif mark == "," and self.open and self.open[-1][0] == "{":
            self.key = []
        elif mark in "=:" and self.key is not None:
            base = self.open[-1][1] if self.open else self.table
            self.path = base + tuple(self.key)
            if self.path in self.lines:
                self.repeated.setdefault(self.path, token.line)
            self._found(len(base), self.path, token.line)
            self.key = None

    def _opened(self, mark: str) -> None:
        if mark == "[" and self.key == [] and not (self.open and self.open[-1][0] == "{"):
            self.open.append(("header", ()))
            return
        inside_list = self.open and self.open[-1][0] == "["
        self.open.append((mark, self.open[-1][1] if inside_list else self.path))
        self.key = [] if mark == "{" else None

    def _closed(self, token: Token) -> None:
        mark, _ = self.open.pop()
        if mark == "header" and self.key:
            self.table = tuple(self.key)
            self._found(0, self.table, token.line)
        self.key = None

    def _found(self, known: int, path: Path, line: int) -> None:
        """Note a path, and what a dotted key makes on the way to it."""
        for length in range(known + 1, min(len(path), self.deepest) + 1):
            self.lines.setdefault(path[:length], line)


def _unquote(token: Token) -> str:
    """A part of a key as the parser gives it."""
    if token.kind != "string":
        return token.text
    if "\\" not in token.text or token.text.startswith("'"):
        return token.text[1:-1]
    try:
        return str(tomli.loads(f"key = {token.text}")["key"])
    except tomli.TOMLDecodeError:
        return token.text

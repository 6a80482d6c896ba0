"""Lists in Lua's braces, ``{ 'a', 'b' }``, in a TOML file.

KumoMTA's guide writes them so in one place, and people copy it. In TOML such braces are an inline
table, and one that has no keys is an error; so reading them as a list never changes the meaning
of a valid file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.policy.source_lines import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator


class LuaList(msgspec.Struct, frozen=True):
    """One such list: the offsets of its braces, and its line."""

    start: int
    end: int
    line: int


def find(text: str) -> Iterator[LuaList]:
    """The values that are braces around strings and commas, at least one string."""
    opened, strings, previous = None, 0, ""
    for token in tokens(text):
        if token.text == "{" and previous == "=":
            opened, strings = token, 0
        elif token.kind == "string":
            strings += 1
        elif token.text == "}" and opened and strings:
            yield LuaList(opened.offset, token.offset, opened.line)
            opened = None
        elif token.text != "," and token.kind != "newline":
            opened = None
        previous = token.text


def in_brackets(text: str, lists: list[LuaList]) -> str:
    """The text with brackets for those braces, each character else in its place."""
    pieces, done = [], 0
    for braces in lists:
        pieces += [text[done : braces.start], "[", text[braces.start + 1 : braces.end], "]"]
        done = braces.end + 1
    return "".join([*pieces, text[done:]])

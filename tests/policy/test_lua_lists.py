"""Lists in Lua's braces: found where they are one, and nowhere else."""

from __future__ import annotations

import pytest
import tomli

from kumo_handlers.policy import lua_lists


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k = { 'a' }", ["a"]),
        ('k = {"a", "b"}', ["a", "b"]),
        ("k = { 'a', 'b', }", ["a", "b"]),
        ("k = {\n  'a', # one\n  '}',\n}\n", ["a", "}"]),
        ("x.k = 1\nk = { 'a' } # { 'b' }", ["a"]),
    ],
)
def test_read_as_a_list(text: str, value: list[str]) -> None:
    """Strings and commas between braces, over lines and comments."""
    lists = list(lua_lists.find(text))
    assert len(lists) == 1
    rewritten = lua_lists.in_brackets(text, lists)
    assert len(rewritten) == len(text)
    assert tomli.loads(rewritten)["k"] == value


@pytest.mark.parametrize(
    "text",
    [
        "k = {}",
        "k = { a = 'b' }",
        "k = { 'a' = 'b' }",
        "k = { 1, 2 }",
        "k = { ['a'] }",
        "k = { 'a', 1 }",
        "k = { 'a', b }",
        "k = \"{ 'a' }\"",
        "# k = { 'a' }",
        "k = [ { 'a' } ]",
        "k { 'a' }",
        "k = { 'a'",
        "k = { { 'a' } }",
        "k = { , }",
    ],
)
def test_anything_else_is_left_alone(text: str) -> None:
    """Tables, other values, strings, comments, and what is not closed."""
    assert list(lua_lists.find(text)) == []


def test_lines() -> None:
    """Each list knows the line it begins on."""
    text = "a = { 'x' }\nb = 1\nc = { 'y',\n'z' }\n"
    assert [braces.line for braces in lua_lists.find(text)] == [1, 3]

"""What crosses into Lua comes back as it went, and nothing else crosses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa.lua54 import LuaRuntime

from kumo_handlers.policy.lua.crossing import from_lua, to_lua

LUA = LuaRuntime(encoding=None)
TEXT = st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
PLAIN = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)


def table(value: Any) -> Any:
    """A table of Lua."""
    return LUA.table_from(value, recursive=True)


@given(VALUES)
def test_there_and_back(value: Any) -> None:
    """Strings with any bytes, numbers, booleans, lists and dicts of these."""
    try:
        went = to_lua(value, table)
    except UnicodeEncodeError:
        return  # a lone surrogate, which no text that was read has
    assert from_lua(went) == value


def test_none_is_nil() -> None:
    """A key without a value is none."""
    assert from_lua(to_lua({"a": None, "b": [1, None, 2]}, table)) == {"b": [1, 2]}
    assert from_lua(None) is None


def test_what_is_neither_becomes_text() -> None:
    """A date in TOML, say; a number too large for Lua is a float."""
    assert to_lua(object, table).startswith(b"<class")
    assert to_lua(2**70, table) == float(2**70)


@pytest.mark.parametrize(
    "code",
    [b"return print", b"return coroutine.create(print)", b"return {print}", b"return {[{}]=1}"],
)
def test_what_does_not_cross(code: bytes) -> None:
    """Functions, coroutines, and tables with these."""
    with pytest.raises(ValueError, match=r"a (function|thread|table) cannot|a key of the table"):
        from_lua(LUA.execute(code))


def test_an_object_does_not_cross() -> None:
    """Not even one that Lua was given by mistake."""
    LUA.globals()[b"stray"] = object()
    with pytest.raises(ValueError, match="cannot be given"):
        from_lua(LUA.execute(b"return {stray}"))


def test_tables_end() -> None:
    """A table in itself, and one too large, are refused."""
    with pytest.raises(ValueError, match="nested too deeply"):
        from_lua(LUA.execute(b"local t = {} t[1] = t return t"))
    with pytest.raises(ValueError, match="too large"):
        from_lua(LUA.execute(b"local t = {} for i = 1, 1000001 do t[i] = 1 end return t"))

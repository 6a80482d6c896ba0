"""Our matcher of Lua's patterns against C's: the same answers, whatever pattern and text."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lupa.lua54 import LuaError, LuaRuntime

PIECES = [
    "a",
    "b",
    ".",
    "%a",
    "%d",
    "%.",
    "[ab]",
    "[^a]",
    "[%d-]",
    "%b()",
    "%f[a]",
    "()",
    "%%",
    "1",
]
QUANTITIES = ["", "", "", "*", "+", "-", "?"]
TEXT = st.text("ab1 ().-%", max_size=12)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """A pattern that C takes, captures and anchors included."""
    items = draw(
        st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(QUANTITIES)), max_size=5)
    )
    parts = [
        piece + (quantity if piece not in {"%b()", "%f[a]", "()"} else "")
        for piece, quantity in items
    ]
    if parts and draw(st.booleans()):
        start = draw(st.integers(0, len(parts) - 1))
        end = draw(st.integers(start, len(parts) - 1))
        parts[start] = "(" + parts[start]
        parts[end] += ")"
        if draw(st.booleans()):
            parts.append("%1")
    anchor, end = draw(st.sampled_from(["", "^"])), draw(st.sampled_from(["", "$"]))
    return anchor + "".join(parts) + end


@cache
def both() -> tuple[Any, Any]:
    """String's functions by C, and by the prelude with nothing quick enough for C."""
    lua = LuaRuntime(encoding="latin-1")
    prelude = files("kumo_handlers.policy.lua") / "prelude"
    source = (prelude / "patterns.lua").read_text()
    assert "local QUICK = 10000000" in source
    source = source.replace("local QUICK = 10000000", "local QUICK = -1")
    matching = lua.execute((prelude / "matching.lua").read_text())
    box = lua.execute("return { strings = {}, check_time = function() end }")
    lua.execute(source, box, matching)
    shown = """
      local f = ...
      return function(...)
        local got = table.pack(pcall(f, ...))
        for index = 1, got.n do got[index] = tostring(got[index]) end
        return table.concat(got, '|')
      end"""
    show = {name: lua.execute(shown, box.strings[name]) for name in ("find", "match", "gsub")}
    by_c = {name: lua.execute(shown, lua.globals().string[name]) for name in show}
    every = """
      local gmatch = ...
      return function(text, pattern)
        local all = {}
        for a, b in gmatch(text, pattern) do all[#all + 1] = tostring(a) .. ',' .. tostring(b) end
        return table.concat(all, ';')
      end"""
    show["gmatch"] = lua.execute(every, box.strings.gmatch)
    by_c["gmatch"] = lua.execute(every, lua.globals().string.gmatch)
    return show, by_c


@given(text=TEXT, pattern=patterns(), init=st.integers(-14, 14))
@settings(max_examples=600, deadline=None)
def test_the_same_as_c(text: str, pattern: str, init: int) -> None:
    """Find, match, gmatch and gsub, from any place."""
    ours, by_c = both()
    for name in ("find", "match"):
        assert ours[name](text, pattern, init) == by_c[name](text, pattern, init)
    is_plain = True
    assert ours["find"](text, pattern, init, is_plain) == by_c["find"](
        text, pattern, init, is_plain
    )
    assert ours["gsub"](text, pattern, "<%0>") == by_c["gsub"](text, pattern, "<%0>")
    assert ours["gsub"](text, pattern, "x", 1) == by_c["gsub"](text, pattern, "x", 1)
    try:
        expected = by_c["gmatch"](text, pattern)
    except LuaError:
        return
    assert ours["gmatch"](text, pattern) == expected

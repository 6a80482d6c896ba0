"""The page on Lua policies names all that there is."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from kumo_handlers.policy.lua import toolbox
from kumo_handlers.policy.lua.message import _OPERATIONS
from kumo_handlers.policy.lua.runtime import EVENT, LOADING, MAX_MEMORY
from kumo_handlers.policy.lua.vocabulary import ASIDE, EVENTS, HELPERS_ASIDE

PAGE = (Path(__file__).parents[3] / "docs" / "lua.md").read_text()
PRELUDE = files("kumo_handlers.policy.lua") / "prelude"
# These are asked by the prelude alone.
INTERNAL = {"bits", "getenv", "seconds", "addresses", "recipients"}


@pytest.mark.parametrize(
    "name",
    sorted({*EVENTS, *ASIDE, *HELPERS_ASIDE, *toolbox.FUNCTIONS, *_OPERATIONS} - INTERNAL),
)
def test_a_name_is_documented(name: str) -> None:
    """Each event, each function and method, and all that is set aside."""
    assert re.search(rf"`(?:kumo\.|msg:)?{name}(?:\(.*?\))?`", PAGE)


@pytest.mark.parametrize(
    ("part", "pattern"),
    [
        ("kumo", r"^function kumo\.(\w+)"),
        ("extras", r"^(?:function )?strings\.(\w+)"),
        ("regex", r"^function Regex:(\w+)"),
        ("objects", r"^function methods:(\w+)"),
    ],
)
def test_a_function_of_the_prelude_is_documented(part: str, pattern: str) -> None:
    """What is written in Lua, too."""
    names = set(re.findall(pattern, (PRELUDE / f"{part}.lua").read_text(), re.MULTILINE))
    assert names
    missing = {name for name in names if not re.search(rf"`[^`]*\b{name}\b[^`]*`", PAGE)}
    assert not missing


def test_the_bounds_are_as_documented() -> None:
    """The numbers of the page are those of the code."""
    assert EVENT.steps == 5_000_000
    assert EVENT.seconds == 0.5
    assert LOADING.steps == 1_000_000_000
    assert LOADING.seconds == 20
    assert MAX_MEMORY == 128 * 1024 * 1024
    for said in ("5 million instructions", "half a second", "a billion and 20", "128 MiB"):
        assert said in PAGE

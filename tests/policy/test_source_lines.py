"""The scanner that knows on which line a key stands."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy.source_lines import find_lines, tokens

TOML = '''\
# a comment with ["brackets"] = and { braces }
["example.com"]
relay_to = true
relay_from = [
  "10.0.0.0/24",  # ["not.a.header"]
  "]",
]
  [ "spaced.example" ]
log_oob = "LogThenDrop"
['single.example']
text = """
["inside.a.string"]
"quote \\" inside" """
literal = \'\'\'
x = 1
\'\'\'
[listener."127.0.0.1:25"."*.example.com"]
log_oob = false
[listener."[::]:25"]
"a.example" = { relay_to = true, log_arf = false }
"b.example" = {
  relay_to = true,
  relay_from = [ "::1" ],
}
"c.example".relay_to = false
["esc\\u0061ped.example"]
when = 07:32:00
many = [ { a = 1 }, { a = 2 } ]
[[list]]
key = 1
lists = [
  ["a", "b"],
]
after = 2
'''
LISTENER = ("listener", "[::]:25")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("example.com",), 2),
        (("example.com", "relay_to"), 3),
        (("example.com", "relay_from"), 4),
        (("spaced.example",), 8),
        (("spaced.example", "log_oob"), 9),
        (("single.example", "text"), 11),
        (("single.example", "literal"), 14),
        (("listener",), 17),
        (("listener", "127.0.0.1:25", "*.example.com"), 17),
        (("listener", "127.0.0.1:25", "*.example.com", "log_oob"), 18),
        (LISTENER, 19),
        ((*LISTENER, "a.example", "relay_to"), 20),
        ((*LISTENER, "a.example", "log_arf"), 20),
        ((*LISTENER, "b.example"), 21),
        ((*LISTENER, "b.example", "relay_to"), 22),
        ((*LISTENER, "b.example", "relay_from"), 23),
        ((*LISTENER, "c.example"), 25),
        ((*LISTENER, "c.example", "relay_to"), 25),
        (("escaped.example",), 26),
        (("escaped.example", "when"), 27),
        (("escaped.example", "many", "a"), 28),
        (("list", "key"), 30),
        (("list", "lists"), 31),
        (("list", "after"), 34),
    ],
)
def test_lines_of_toml(path: tuple[str, ...], line: int) -> None:
    """Headers, quoted and dotted keys, inline tables, lists and strings over several lines."""
    assert find_lines(TOML)[path] == line


def test_nothing_is_found_that_is_not_there() -> None:
    """Every path leads to something the parser found as well."""
    parsed = tomli.loads(TOML)
    for path in find_lines(TOML):
        here: object = parsed
        for name in path:
            here = here[0] if isinstance(here, list) else here
            assert isinstance(here, dict)
            here = here[name]


def test_lines_of_json() -> None:
    """The same scanner: a key is a string before a colon."""
    text = '{\n "example.com": {\n  "relay_to": true, "log_oob": "x:{y}"\n },\n "b": {"c": [1, 2]}}'
    assert find_lines(text) == {
        ("example.com",): 2,
        ("example.com", "relay_to"): 3,
        ("example.com", "log_oob"): 3,
        ("b",): 5,
        ("b", "c"): 5,
    }


def test_deepest_leaves_out_what_is_below() -> None:
    """Whoever wants the entries alone does not pay for their options."""
    assert find_lines("[a]\nb.c.d = 1", deepest=2) == {("a",): 1, ("a", "b"): 2}


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(NAMES, unique=True, max_size=6), st.data())
def test_a_header_is_found_on_its_line(names: list[str], data: st.DataObject) -> None:
    """Whatever the name, escaped as TOML wants it, with any number of options before it."""
    lines: list[str] = []
    expected = {}
    for name in names:
        lines += ["x = 1  # comment"] if lines and data.draw(st.booleans()) else [""]
        escaped = "".join(f"\\U{ord(character):08X}" for character in name)
        plain = name.isprintable() and not set(name) & set('"\\')
        lines.append(f'["{name if plain else escaped}"]')
        expected[(name,)] = len(lines)
    found = find_lines("\n".join(lines))
    assert {path: line for path, line in found.items() if len(path) == 1} == expected


@given(st.text(st.sampled_from("[]{}=:,.\"'# \n\\ab"), max_size=40))
def test_any_text_is_taken(text: str) -> None:
    """A text that is not valid gives what lines it gives, never an error."""
    find_lines(text)
    assert [token.line for token in tokens(text)] == sorted(token.line for token in tokens(text))

"""``FILE:LINE`` of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.policy import source
from kumo_handlers.policy.origins import Origins

if TYPE_CHECKING:
    from pathlib import Path

TOML = """\
# ["example.com"] is not here
["example.com"]
relay_from = [
  "10.0.0.0/24",
]
['single.example']
["Upper.EXAMPLE"]
["b\u00fccher.example"]
["esc\\u0061ped.example"]
"example.org" = { relay_to = true }
[listener."0:25"."example.com"]
["*.example.com"]  # "example.net"
["*"]
"""


@pytest.fixture
def rules(tmp_path: Path) -> str:
    """The path of a file with entries in all spellings."""
    path = tmp_path / "rules.toml"
    path.write_text(TOML)
    return str(path)


@pytest.mark.parametrize(
    ("section", "key", "line"),
    [
        ("", "example.com", 2),
        ("", "single.example", 6),
        ("", "upper.example", 7),
        ("", "xn--bcher-kva.example", 8),
        ("", "escaped.example", 9),
        ("0.0.0.0:25", "example.com", 11),
        ("", "*.example.com", 12),
        ("", "*", 13),
    ],
)
def test_the_line_of_an_entry(rules: str, section: str, key: str, line: int) -> None:
    """However it is spelt; the same again when it is asked for again."""
    origins = Origins([source.from_file(rules)])
    assert origins.find(section, key) == f"{rules}:{line}" == origins.find(section, key)


@pytest.mark.parametrize(
    ("section", "key"),
    [("", "example.net"), ("", "nobody.example"), ("127.0.0.1:25", "example.com")],
)
def test_what_is_not_there_has_no_line(rules: str, section: str, key: str) -> None:
    """A comment is no entry, nor is that of another listener."""
    assert Origins([source.from_file(rules)]).find(section, key) == ""


def test_an_inline_table_inside_an_entry_is_no_entry(rules: str) -> None:
    """``"example.org" = …`` stands in the table above it, as TOML has it."""
    assert Origins([source.from_file(rules)]).find("", "example.org") == ""


def test_every_source_that_speaks_of_it(rules: str, tmp_path: Path) -> None:
    """Entries are merged option by option, so each may be the one that matters."""
    other = tmp_path / "more.json"
    other.write_text('{\n\n"example.com": {}}')
    table = {"Example.com": {}, "listener": {"0:25": {"example.com": {}}}}
    sources = [
        source.from_file(rules),
        source.from_file(str(other)),
        source.from_mapping("table 3", table),
    ]
    origins = Origins(sources)
    assert origins.find("", "example.com") == f"{rules}:2, {other}:3, table 3"
    assert origins.find("0.0.0.0:25", "example.com") == f"{rules}:11, table 3"
    assert origins.files == (rules, str(other))


def test_a_file_that_changed_is_not_pointed_at(rules: str, tmp_path: Path) -> None:
    """Its lines are no longer those of the policy in force."""
    origins = Origins([source.from_file(rules)])
    (tmp_path / "rules.toml").write_text('\n\n\n["example.com"]\n')
    assert origins.find("", "example.com") == ""


def test_version_is_that_of_the_content(rules: str, tmp_path: Path) -> None:
    """The same rules under another name are the same version; a comment is a change."""
    copy = tmp_path / "copy.toml"
    copy.write_text(TOML)
    version = Origins([source.from_file(rules)]).version
    assert Origins([source.from_file(str(copy))]).version == version
    copy.write_text(TOML + "# more\n")
    assert Origins([source.from_file(str(copy))]).version != version

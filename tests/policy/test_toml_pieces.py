"""A file read in pieces is the file read whole."""

from __future__ import annotations

import random

import pytest
import tomli

from kumo_handlers.policy import toml_pieces

OPTIONS = [
    "relay_to = true\n",
    "log_oob = 'LogThenDrop'\nlog_arf = false\n",
    "relay_from = [\n  '10.0.0.0/24',\n]\n",
    "",
]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut after a few lines, to have many cuts."""
    monkeypatch.setattr(toml_pieces, "_PIECE", 200)


def rules(count: int, seed: int) -> str:
    """A valid file with that many entries, general ones and some of two listeners."""
    chance = random.Random(seed)  # noqa: S311 - a test's own dice
    prefixes = ["", "", "", 'listener."127.0.0.1:25".', 'listener."[::]:25".']
    return "top = 1\n" + "".join(
        f'[{chance.choice(prefixes)}"d{number}.example"]\n{chance.choice(OPTIONS)}'
        for number in range(count)
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_whole(seed: int) -> None:
    """Whatever stands where the cuts fall."""
    text = rules(60, seed)
    assert toml_pieces.parse(text) == tomli.loads(text)


def test_equal_tables_are_one_object() -> None:
    """A file of a million domains has a handful of different entries, and keeps a handful."""
    tables = toml_pieces.parse(rules(200, 1))
    tables.pop("listener")
    assert len({id(table) for table in tables.values()}) <= len(OPTIONS) + 1


@pytest.mark.parametrize(
    "oddity",
    [
        '["odd.example"]\ntext = """\n[x]\n' + "[y]\n" * 100 + '"""\n',
        '["odd.example"]\nlist = [\n' + "['x'],\n" * 100 + "]\n",
        '["d1.example".more]\nx = 1\n',
        "[listener]\nx = 1\n",
    ],
)
def test_a_cut_in_a_bad_place_is_noticed(oddity: str) -> None:
    """Inside a string or a list, or between two halves of a table: then it is read whole."""
    text = oddity + rules(40, 3).replace("top = 1\n", "")
    assert toml_pieces.parse(text) == tomli.loads(text)


@pytest.mark.parametrize("end", ['["a"]\n', "x =\n", "[listener]\nx = 1\n[listener]\n"])
def test_errors_are_those_of_the_whole(end: str) -> None:
    """The same message with the same line, a name that is there twice included."""
    text = '["a"]\n' + rules(60, 4).replace("top = 1\n", "") + end
    with pytest.raises(tomli.TOMLDecodeError) as whole:
        tomli.loads(text)
    with pytest.raises(tomli.TOMLDecodeError) as pieces:
        toml_pieces.parse(text)
    assert str(pieces.value) == str(whole.value)

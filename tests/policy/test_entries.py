"""Wrong rule files, each with the messages it must give; and the folding of keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from kumo_handlers.errors import AddressError, ConfigurationError
from kumo_handlers.policy import source
from kumo_handlers.policy.entries import Checker, Entries, fold_key
from kumo_handlers.policy.listener_domain import ReportDisposition
from kumo_handlers.policy.tables import load

BAD = Path(__file__).parent / "bad"


@pytest.mark.parametrize("expected", sorted(BAD.glob("*.expected")), ids=lambda path: path.stem)
def test_bad_rules(expected: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wrong, at once, with file, line, domain, option, value and what was expected."""
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigurationError) as caught:
        load([expected.stem])
    assert f"{caught.value}\n" == expected.read_text()


def test_every_bad_file_has_its_message() -> None:
    """A file without one would be no test."""
    files = {path.name for path in BAD.iterdir() if path.suffix != ".expected"}
    assert files == {path.stem for path in BAD.glob("*.expected")}


def test_problems_of_all_sources_at_once() -> None:
    """A file that is missing, one that is wrong, and a table that is wrong."""
    sources = ["/nonexistent.toml", BAD / "unknown_option.toml", {"example.com": {"relay_to": 1}}]
    with pytest.raises(ConfigurationError) as caught:
        load(sources)
    places = [(problem.file, problem.line) for problem in caught.value.problems]
    assert places == [
        ("/nonexistent.toml", None),
        (str(BAD / "unknown_option.toml"), 2),
        ("table 3", None),
    ]


def test_entries_by_key() -> None:
    """Names and listeners in their one spelling, options as they were given and no more."""
    checker = Checker()
    tables = {
        "Example.COM": {"log_oob": "LogThenDrop"},
        "*.Example.com.": {},
        "listener": {"0:25": {"B\u00dcCHER.example": {"relay_to": True, "inherit": True}}},
    }
    entries = checker.check(source.from_mapping("table 1", tables))
    assert checker.problems == []
    assert entries == Entries(
        {"example.com": {"log_oob": ReportDisposition.LOG_THEN_DROP}, "*.example.com": {}},
        {"0.0.0.0:25": {"xn--bcher-kva.example": {"relay_to": True, "inherit": True}}},
    )


def test_true_and_one_are_not_taken_for_equal() -> None:
    """In Python they are; the entry that says 1 must be refused all the same."""
    checker = Checker()
    tables = {"a.example": {"relay_to": True}, "b.example": {"relay_to": 1}}
    checker.check(source.from_mapping("table 1", tables))
    assert [problem.domain for problem in checker.problems] == ["b.example"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("*", "*"),
        ("Example.com.", "example.com"),
        ("*.EXAMPLE.com", "*.example.com"),
        ("*.b\u00fccher.example", "*.xn--bcher-kva.example"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:DB8:0::1]", "[ipv6:2001:db8::1]"),
        ("localhost", "localhost"),
    ],
)
def test_keys_are_folded(name: str, key: str) -> None:
    """As domains are: what is asked for is folded the same way."""
    assert fold_key(name) == key == fold_key(key)


@pytest.mark.parametrize("name", ["", ".", "*.", "*foo.com", "a.*.com", "*.*.com", "**", "*.[::1]"])
def test_what_is_no_key(name: str) -> None:
    """A star stands alone or before a dot, and for nothing but whole names."""
    with pytest.raises(AddressError):
        fold_key(name)

"""Report fields and their groups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import fields, groups
from kumo_handlers.reports.groups import Groups


def read(text: str) -> tuple[list[fields.Group], list[str]]:
    """Paragraphs and remarks."""
    remarks: list[str] = []
    return fields.read(text, remarks), remarks


def test_standard() -> None:
    """Two paragraphs, folded values, names in lower case, nothing to remark."""
    assert read("A: 1\nB:2\n\nC: 3\n\t4\n") == ([{"a": ["1"], "b": ["2"]}, {"c": ["3 4"]}], [])


def test_folded_before_the_first_word() -> None:
    """As mail libraries fold a long address: no blank is left before the value."""
    assert read("A:\n rfc822; x\nB: \n\t1\n") == ([{"a": ["rfc822; x"], "b": ["1"]}], [])


def test_repeated() -> None:
    """All values are kept; the first that is not empty is the first."""
    ((group,), remarks) = read("Status:\nStatus: 5.1.1\nStatus: 5.2.2\nX-A: 1\nX-A: 2\n")
    assert group == {"status": ["5.1.1", "", "5.2.2"], "x-a": ["1", "2"]}
    assert fields.singles(group) == {"status": "5.1.1", "x-a": "1"}
    assert len(remarks) == 1


def test_each_remark_is_made_once() -> None:
    """However often it applies."""
    _, remarks = read("A : 1\nB : 2\nC : 3\n")
    assert remarks == ["blanks before a colon"]


def test_characters_that_are_none() -> None:
    """They end a string in C, and stand where a buffer was written as a whole."""
    assert read("A: 1\0\nB: 2\0\0\n") == ([{"a": ["1"], "b": ["2"]}], ["NUL characters"])


def test_several_bodies() -> None:
    """Groups of several parts are gathered; strays of one do not reach the other's recipients."""
    found = Groups()
    found.add("Reporting-MTA: dns; a\nStatus: 5.1.1\n\nFinal-Recipient: x\n")
    found.add("Reporting-MTA: dns; b\n\nFinal-Recipient: y\n")
    assert found.message == {"reporting-mta": ["dns; a"]}
    assert [group.get("status") for group in found.recipients] == [["5.1.1"], None]


def test_groups_do_not_share() -> None:
    """Two reports have nothing in common."""
    first, second = groups.Groups(), groups.Groups()
    first.add("Final-Recipient: x\n\nReporting-MTA: y\n")
    assert (second.message, second.recipients, second.remarks) == ({}, [], [])


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
VALUES = st.text("abc019;.@<> ", max_size=20).map(str.strip)


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=8))
def test_well_formed_fields_come_back(pairs: list[tuple[str, str]]) -> None:
    """Every field is there, under its name in lower case."""
    found, _ = read("".join(f"{name}: {value}\n" for name, value in pairs))
    got = [(name, value) for group in found for name, values in group.items() for value in values]
    assert sorted(got) == sorted((name.lower(), value) for name, value in pairs)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Nothing raises."""
    Groups().add(text)

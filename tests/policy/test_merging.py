"""Entries of several sources become one set."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy.entries import Entries
from kumo_handlers.policy.listener_domain import ListenerDomain
from kumo_handlers.policy.merging import merge, resolve

OPTIONS = st.fixed_dictionaries(
    {}, optional={"relay_to": st.booleans(), "inherit": st.just(value=True)}
)
PART = st.dictionaries(st.sampled_from(["a", "b.a", "*.a", "*"]), OPTIONS)
ENTRIES = st.builds(Entries, PART, st.dictionaries(st.sampled_from(["x", "y"]), PART))


def copied(entries: Entries) -> Entries:
    """`merge` uses up what it is given."""
    return Entries(
        dict(entries.general), {name: dict(part) for name, part in entries.sections.items()}
    )


@given(st.lists(ENTRIES, max_size=4))
def test_later_options_win(parts: list[Entries]) -> None:
    """Each option of each entry is that of the last source that gives it."""
    expected: dict[tuple[str, str], dict[str, Any]] = {}
    for part in parts:
        for section, entries in [("", part.general), *part.sections.items()]:
            for key, given_options in entries.items():
                expected.setdefault((section, key), {}).update(given_options)
    merged = merge(map(copied, parts))
    found = {("", key): options for key, options in merged.general.items()}
    for section, entries in merged.sections.items():
        found |= {(section, key): options for key, options in entries.items()}
    assert found == expected


def test_nothing_given_is_changed() -> None:
    """The tables of one source are shared by its entries: merging makes new ones."""
    shared = {"relay_to": True}
    merge([Entries({"a": shared, "b": shared}, {}), Entries({"a": {"inherit": True}}, {})])
    assert shared == {"relay_to": True}


def test_equal_entries_are_one_object() -> None:
    """Whichever way they were written."""
    general, sections = resolve(
        Entries(
            {"a": {"relay_to": True}, "b": {"relay_to": True, "inherit": False}},
            {"x": {"c": {"relay_to": True}}},
        )
    )
    made = [options for part in (general, sections["x"]) for _, options in part.items()]
    assert made == [ListenerDomain(relay_to=True)] * 3
    assert len({id(options) for options in made}) == 1


def test_inherit_starts_from_the_general_entry_of_the_same_name() -> None:
    """Its own, or the wildcard that stands for it; without any, from the defaults."""
    inherit = {"inherit": True}
    _, sections = resolve(
        Entries(
            {"*.a": {"relay_to": True}, "b.a": {"relay_to": False}},
            {"x": {"*.a": inherit, "b.a": inherit, "c.a": inherit, "d": inherit}},
        )
    )
    relayed = {key: options.relay_to for key, options in sections["x"].items()}
    assert relayed == {"*.a": True, "b.a": False, "c.a": True, "d": False}

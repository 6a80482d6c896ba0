"""Look-up by domain: against a naive oracle, and flat in the number of domains."""

from __future__ import annotations

import timeit
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy.domain_map import DomainMap

# Few labels of different lengths, so that random names and random entries meet.
LABELS = st.sampled_from(["a", "bb", "ccc", "com"])
NAMES = st.lists(LABELS, min_size=1, max_size=6).map(".".join)
KEYS = NAMES | NAMES.map("*.{}".format) | st.just("*")


def oracle(entries: dict[str, int], name: str) -> tuple[str, int] | None:
    """The rule as it is told: own name, then the longest wildcard above, then the catch-all."""
    if name in entries:
        return name, entries[name]
    above = [key for key in entries if key.startswith("*.") and name.endswith(key[1:])]
    best = max(above, key=len, default="*")
    return (best, entries[best]) if best in entries else None


@given(st.dictionaries(KEYS, st.integers(), max_size=12), NAMES | st.just(""))
def test_agrees_with_the_rule_as_told(entries: dict[str, int], name: str) -> None:
    """Whatever the entries and the name."""
    assert DomainMap(entries).find(name) == oracle(entries, name)


DEEP = st.lists(st.sampled_from(["a", "bb"]), min_size=1, max_size=14).map(".".join)


@given(st.sets(DEEP | DEEP.map("*.{}".format) | st.just("*"), max_size=12), DEEP | st.just(""))
def test_deep_wildcards_agree_too(keys: set[str], name: str) -> None:
    """Where the longest wildcard is found by halving: one of twelve labels is always there."""
    entries = dict.fromkeys([*keys, "*.a.a.a.a.a.a.a.a.a.a.a.bb"], 1)
    assert DomainMap(entries).find(name) == oracle(entries, name)


@given(st.dictionaries(KEYS, st.integers(), max_size=12))
def test_holds_what_it_was_given(entries: dict[str, int]) -> None:
    """Every entry can be listed, and is the answer for its own key."""
    domains = DomainMap(entries)
    assert dict(domains.items()) == entries
    assert len(domains) == len(entries)


FEW = st.sampled_from(["x", "a", "*.a", "*.b.a", "*", f"*.{'a.' * 12}a", f"*.{'b.' * 10}a", "x.a"])


@given(st.dictionaries(FEW, st.integers(0, 3)), st.dictionaries(FEW, st.none() | st.integers(4, 7)))
def test_changed_is_as_made_anew(entries: dict[str, int], changes: dict[str, int | None]) -> None:
    """Whatever is put in, replaced or taken out; and the map that was changed stays as it was."""
    before = DomainMap(entries)
    after = {key: value for key, value in (entries | changes).items() if value is not None}
    changed = before.changed(changes)
    assert dict(changed.items()) == after
    assert dict(before.items()) == entries
    for name in ("x", "a", "x.a", "y.b.a", f"x.{'a.' * 12}a", f"x.{'b.' * 10}a", "elsewhere", ""):
        assert changed.find(name) == DomainMap(after).find(name)
        assert list(changed.walk(name)) == list(DomainMap(after).walk(name))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("example.com", "example.com"),
        ("a.example.com", "*.example.com"),
        ("b.example.com", "*.example.com"),
        ("x.b.example.com", "*.example.com"),
        ("a.b.example.com", "a.b.example.com"),
        ("x.deep.example.com", "*.deep.example.com"),
        ("deep.example.com", "*.example.com"),
        ("xexample.com", "*"),
        ("com", "*"),
        ("", "*"),
        ("[192.0.2.1]", "*"),
        ("[192.0.2.2]", "[192.0.2.2]"),
    ],
)
def test_which_entry_answers(name: str, key: str) -> None:
    """The longest wildcard wins, a deeper entry hides nothing beside it, ``*`` takes the rest."""
    keys = ["example.com", "*.example.com", "a.b.example.com", "*.deep.example.com"]
    found = DomainMap({key: key for key in [*keys, "[192.0.2.2]", "*"]}).find(name)
    assert found == (key, key)


def test_without_a_catch_all_the_empty_domain_has_no_entry() -> None:
    """``<>`` and ``<postmaster>`` are nobody's, unless somebody says ``*``."""
    assert DomainMap({"*.example.com": 1}).find("") is None
    assert DomainMap({}).find("") is None
    assert DomainMap({}).find("example.com") is None


def table(size: int) -> DomainMap[int]:
    """That many domains, and two wildcards."""
    names = (f"d{number}.example{number % 97}.com" for number in range(size))
    return DomainMap(dict.fromkeys([*names, "*.example.com", "*.a.example.net"], 1))


def cost(domains: DomainMap[int], name: str) -> float:
    """Seconds of a thousand look-ups: the best of many, as the machine is shared."""
    return min(timeit.repeat(lambda: domains.find(name), number=1000, repeat=30))


@pytest.fixture(scope="module")
def million() -> tuple[DomainMap[int], float]:
    """A million domains, and the bytes each takes, its name not counted."""
    names = {f"d{number}.example{number % 97}.com": 1 for number in range(1_000_000)}
    tracemalloc.start()
    domains = DomainMap(names)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return domains, size / 1_000_000


def test_a_million_domains_cost_what_ten_do(million: tuple[DomainMap[int], float]) -> None:
    """A hit and a miss: within twice the time."""
    for name in ("d5.example5.com", "nobody.example.org"):
        assert cost(million[0], name) < 2 * cost(table(10), name)


def test_memory_for_each_domain(million: tuple[DomainMap[int], float]) -> None:
    """42 bytes beside the name itself, as measured; equal entries are one object."""
    assert million[1] < 65


@pytest.mark.parametrize("name", ["a." * 126 + "a", ".".join(["x" * 62] * 4)])
def test_a_hostile_name_costs_what_a_miss_does(name: str) -> None:
    """127 labels, or 255 bytes: less than twice a name that a person would write."""
    domains = table(1000)
    assert domains.find(name) is None
    assert cost(domains, name) < 2 * cost(domains, "nobody.example.org")


@pytest.mark.parametrize("name", ["x." * 126 + "b", "a." * 126 + "b"])
def test_no_table_makes_a_name_dear(name: str) -> None:
    """A wildcard at each of a hundred depths: far less than a hundred look-ups."""
    domains = DomainMap({f"*.{'a.' * depth}b": depth for depth in range(1, 100)})
    assert cost(domains, name) < 12 * cost(table(1000), "nobody.example.org")


@given(st.dictionaries(KEYS, st.integers(), max_size=12), NAMES | st.just(""))
def test_walk_comes_by_the_answer_first(entries: dict[str, int], name: str) -> None:
    """The first entry on the way is the answer, and every other that fits comes behind it."""
    domains = DomainMap(entries)
    on_the_way = [(key, value) for key, value in domains.walk(name) if value is not None]
    assert next(iter(on_the_way), None) == domains.find(name)
    fitting = {key for key in entries if key in (name, "*") or name.endswith(key[1:])}
    assert {key for key, _ in on_the_way} == {
        key for key in fitting if key[0] == "*" or key == name
    }

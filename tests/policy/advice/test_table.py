"""Each warning, with the rules that deserve it and some that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy import tables
from kumo_handlers.policy.advice.spelling import pairs
from kumo_handlers.policy.advice.subject import Subject
from kumo_handlers.policy.advice.table import CHECKS, MOST_SHOWN, warnings
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.networks import Networks

RULES = Path(__file__).parent / "rules"
HERE = "127.0.0.1:25"
OPEN, SHUT = {"relay_to": True}, {"relay_to": False}
SECTION = {"listener": {HERE: {"*.example.com": {"log_oob": True}}}}


def subject_of(*sources: Any, listeners: tuple[Listener, ...] = ()) -> Subject:
    """What is looked at."""
    written = tables.read(sources)
    return Subject(tables.make(written), listeners, written.parts)


def kinds(*sources: Any, listen: str = "") -> list[str]:
    """The kinds of warnings about ``sources``."""
    listeners = (Listener(listen=listen),) if listen else ()
    return [warned.kind for warned in warnings(subject_of(*sources, listeners=listeners))]


@pytest.mark.parametrize("name", sorted(path.name for path in RULES.glob("*.toml")))
def test_each_kind_in_a_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message, its line and its hint are what the file beside it says."""
    monkeypatch.chdir(RULES)
    found = warnings(subject_of(name, listeners=(Listener(listen=HERE),)))
    shown = "".join(f"{warned.kind}: {warned.problem}\n" for warned in found)
    assert shown == Path(f"{name}.expected").read_text()


def test_every_kind_has_a_file() -> None:
    """A warning that no file shows may never be given. Listeners are in no rule file."""
    shown = "".join(path.read_text() for path in RULES.glob("*.expected"))
    assert {kind for kind in CHECKS if f"{kind}: " not in shown} == {"open-relay-hosts"}


@pytest.mark.parametrize(
    "rules",
    [
        {"example.com": OPEN, "*.example.com": OPEN},
        {"*": {"log_oob": True}},
        {"*": SHUT | {"log_oob": True}, "example.com": OPEN} | {"*.example.com": OPEN},
        {"*.example.com": OPEN, "www.example.com": SHUT},
        {"*.example.com": OPEN, "b.example.com": {}, "a.b.example.com": OPEN},
        {"mx1.example.com": OPEN, "mx2.example.com": OPEN},
        {"a.example": OPEN, "b.example": OPEN},
        {"[192.0.2.1]": OPEN, "[192.0.2.2]": OPEN},
        {"example.com": OPEN, "listener": {HERE: {"example.net": OPEN}}},
        {"example.com": OPEN, "listener": {HERE: {"example.com": {"inherit": True}}}},
        {"example.com": {"relay_from": ["10.0.0.0/8", "192.0.2.0/24"]}},
    ],
)
def test_what_is_right_is_left_alone(rules: dict[str, Any]) -> None:
    """No warning where there is nothing wrong; a false one teaches people not to look."""
    found = [kind for kind in kinds(rules, listen=HERE) if kind != "own-default"]
    assert found == []


@pytest.mark.parametrize(
    ("blocks", "is_open"),
    [
        (["any"], True),
        (["0.0.0.0/0"], True),
        (["::/0"], True),
        (["0.0.0.0/1", "128.0.0.0/1"], True),
        (["0.0.0.0/1", "128.0.0.0/2"], False),
        (["10.0.0.0/8"], False),
        ([], False),
    ],
)
def test_everyone_in_all_spellings(blocks: list[str], *, is_open: bool) -> None:
    """A network that holds all addresses, and two that do so together."""
    assert ("open-relay-from" in kinds({"example.com": {"relay_from": blocks}})) is is_open
    listener = Listener(listen=HERE, relay_hosts=Networks.parse(blocks))
    found = [warned.kind for warned in warnings(subject_of({}, listeners=(listener,)))]
    assert ("open-relay-hosts" in found) is is_open


@pytest.mark.parametrize(
    ("listen", "is_heard"),
    [(HERE, True), ("0:25", True), ("[::]:25", True), ("127.0.0.1:0", True), ("0:26", False)],
)
def test_a_section_is_heard_by_whoever_takes_its_connections(
    listen: str, *, is_heard: bool
) -> None:
    """A listener on all addresses hears the sections of each."""
    assert ("unheard-section" not in kinds(SECTION, listen=listen)) is is_heard


def test_nothing_is_said_of_listeners_that_are_not_known() -> None:
    """Rules alone do not say where to listen."""
    assert kinds(SECTION) == []


def test_a_later_source_may_take_an_option_back() -> None:
    """What is a default by itself is a statement where an earlier file says otherwise."""
    assert kinds({"example.com": OPEN}, {"example.com": SHUT}) == []
    assert kinds({"example.com": SHUT}) == ["own-default"]


def test_many_of_one_kind_are_counted() -> None:
    """A file may have a hundred thousand of them."""
    rules = {f"{'abcdefghijklmnopqrstuvwxyz'[n]}.example": SHUT for n in range(26)}
    found = list(warnings(subject_of(rules)))
    assert len(found) == MOST_SHOWN + 1
    assert found[-1].problem.message == "6 more like these are not shown"


NAMES = st.text("abcd", min_size=5, max_size=8).map("{}.example".format)


def is_slip(one: str, other: str) -> bool:
    """The rule as it is told, tried out: one letter more, less, another one, or two swapped."""
    one, other = one.removesuffix(".example"), other.removesuffix(".example")
    places = range(len(one) + 1)
    changed = {one[:at] + one[at + 1 :] for at in places}
    changed |= {one[:at] + letter + one[at:] for at in places for letter in "abcd"}
    changed |= {one[:at] + letter + one[at + 1 :] for at in places for letter in "abcd"}
    changed |= {one[:at] + one[at + 1 : at + 2] + one[at : at + 1] + one[at + 2 :] for at in places}
    return one != other and other in changed


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("www.example.com", "www.exmaple.com", True),
        ("a.b.example.com", "a.b.exampel.com", True),
        ("www.example.com", "ftp.exmaple.com", False),
        ("newsletter.de", "newsletter.be", False),
        ("server", "servre", True),
        ("mail.a.example.com", "mail.b.example.com", False),
    ],
)
def test_slips_in_any_label(one: str, other: str, *, found: bool) -> None:
    """All the rest must be the same; two countries are no slip."""
    assert bool(list(pairs([one, other]))) is found


@given(NAMES, NAMES)
def test_slips_are_found(one: str, other: str) -> None:
    """Whatever the names: both orders, nothing missed, nothing made up."""
    assert bool(list(pairs([one, other]))) is is_slip(one, other)


def test_numbers_are_no_slips() -> None:
    """Names of a series differ in their digits; a slip beside them is found all the same."""
    names = ["server1.example", "server22.example", "serve1.example"]
    assert list(pairs(names)) == [("serve1.example", "server1.example")]


@given(NAMES, st.integers(0, 12), st.sampled_from("abcd"))
def test_a_slip_of_the_finger_is_found(name: str, at: int, letter: str) -> None:
    """A letter put in, taken out or replaced in a name makes a pair."""
    label = name.removesuffix(".example")
    for slipped in (label[:at] + letter + label[at:], label[:at] + letter + label[at + 1 :]):
        if slipped != label:
            assert list(pairs([name, f"{slipped}.example"]))

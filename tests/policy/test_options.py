"""The declaration of options, and the reading of tables of them."""

from __future__ import annotations

import logging
from typing import Annotated

import msgspec
import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.kinds import BOOL, COUNT, NETWORKS
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.options import (
    Declared,
    Place,
    declared,
    read,
    read_strictly,
    shown,
    suggestion,
)


class Sample(msgspec.Struct, frozen=True):
    """Three options of different kinds."""

    relay_to: Annotated[bool, Declared(BOOL, "accept")] = False
    limit: Annotated[int, Declared(COUNT, "how many")] = 7
    hosts: Annotated[Networks, Declared(NETWORKS, "who")] = msgspec.field(
        default_factory=lambda: Networks.parse(["::1"])
    )


OPTIONS = declared(Sample, spool="there is none")


def test_a_declaration_can_be_listed() -> None:
    """Documentation and commands iterate rows of name, kind, default and help."""
    rows = [(row.name, row.kind.name, row.default_text, row.help) for row in OPTIONS.values()]
    assert rows == [
        ("relay_to", "bool", "false", "accept"),
        ("limit", "int", "7", "how many"),
        ("hosts", "list of IP or CIDR", "['::1']", "who"),
        ("spool", "any", "", "there is none"),
    ]


def test_only_what_is_given_is_read() -> None:
    """Values come out as the Struct wants them; defaults are the Struct's business."""
    values, problems = read({"relay_to": True, "hosts": ["any"]}, OPTIONS, Place())
    assert (values, problems) == ({"relay_to": True, "hosts": Networks.parse(["any"])}, [])


def test_every_problem_at_once() -> None:
    """Unknown names and wrong values together, each with place, value and expectation."""
    table = {"relay_too": True, "relay_to": "true", "hosts": ["10.0.0.1/8", 3]}
    with pytest.raises(ConfigurationError) as caught:
        read_strictly(table, OPTIONS, Place("a.toml", 3, "example.com"))
    expected = (
        "a.toml:3: domain example.com, option relay_too: unknown option; "
        "expected one of hosts, limit, relay_to, spool (Did you mean relay_to?)\n"
        "a.toml:3: domain example.com, option relay_to: wrong value, got 'true'; "
        "expected true or false (without quotes: true)\n"
        "a.toml:3: domain example.com, option hosts: wrong value, got 3; "
        "expected a list of IP addresses and CIDR blocks, or any"
    )
    assert str(caught.value) == expected


def test_without_effect_is_noted_once(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its value, and however often it is given."""
    options = declared(Sample, noted_once="no effect")
    caplog.set_level(logging.INFO)
    for value in (1, "two", {}):
        assert read_strictly({"noted_once": value}, options, Place()) == {}
    assert len(caplog.records) == 1
    assert "noted_once is accepted and has no effect here: no effect" in caplog.text


@pytest.mark.parametrize(
    ("word", "hint"),
    [("deny", "Did you mean Deny?"), ("DNEY", "Did you mean Deny?"), ("zzz", None), ("", None)],
)
def test_suggestion_is_deaf_to_case(word: str, hint: str | None) -> None:
    """The nearest known word, if it is near at all."""
    assert suggestion(word, ["Deny", "Allow"]) == hint


def test_values_are_shown_short_and_as_written() -> None:
    """A boolean as in TOML; a value of a page is cut."""
    assert shown(True) == "true"  # noqa: FBT003 - the value under test
    assert shown("true") == "'true'"
    assert len(shown("x" * 1000)) < 130

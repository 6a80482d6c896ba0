"""Addresses in prose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports.nonstandard import addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<ann@dest.example>: unknown", ["ann@dest.example"]),
        ("write to ann@dest.example.", ["ann@dest.example"]),
        ("'ann@dest.example' on Monday", ["ann@dest.example"]),
        ("ann@dest.example<mailto:ann@dest.example>", ["ann@dest.example"]),
        ("smtp:Ann@dest.example ann@DEST.example", ["Ann@dest.example"]),
        ("dda:SMTP=ann@dest.example;", ["ann@dest.example"]),
        ("550-ann@dest.example 550 no such user", ["ann@dest.example"]),
        ("宛先ann@dest.exampleは不明です", ["ann@dest.example"]),
        ("<用户@例子.example>", ["用户@例子.example"]),
        ('"ann b"@dest.example', ['"ann b"@dest.example']),
        ("<ann@localhost> and bob@localhost", ["ann@localhost"]),
        ("ann@[192.0.2.1]", ["ann@[192.0.2.1]"]),
        ("bounce+77=ann@dest.example", ["bounce+77=ann@dest.example"]),
        ("a..b.@dest.example", ["a..b.@dest.example"]),
        ("cid:image001.png@01D5", []),
        ("no @ here, nor @here", []),
    ],
)
def test_within(text: str, found: list[str]) -> None:
    """What prose puts round an address is left out; what is no address is not found."""
    assert addresses.within(text) == found


@pytest.mark.parametrize(
    "found", ["mailto:ann@dest.example", "ann@dest.example<mailto:ann@dest.example"]
)
def test_clean(found: str) -> None:
    """An address beside its link is one: others take both for it."""
    assert addresses.clean(found) == "ann@dest.example"


@given(st.text(max_size=300))
def test_found_addresses_have_both_halves(text: str) -> None:
    """Whatever the text: what is found can be written to."""
    for address in addresses.within(text):
        local_part, at, domain = address.rpartition("@")
        assert local_part
        assert at
        assert domain


def test_role() -> None:
    """One writes to a postmaster for help."""
    assert addresses.is_role("Postmaster@dest.example")
    assert not addresses.is_role("ann@dest.example")

"""Pseudonyms: the same for the same, of the same kind, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports.pseudonyms import Pseudonyms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<ann@a.example>", "<user1@host2.example>"),
        ("ann@a.example, ANN@a.Example", "user1@host2.example, user1@host2.example"),
        ("ann@a.example at a.example.", "user1@host2.example at host2.example."),
        ("rfc822;ann@a.example", "rfc822;user1@host2.example"),
        ('to "ann lee"@a.example', "to user1@host2.example"),
        ("dda:SMTP=ann@a.example", "dda:SMTP=user1@host2.example"),
        ("ann@[192.0.2.200]", "user1@[192.0.2.2]"),
        ("from mx.a.com [203.0.113.9]", "from host1.example [192.0.2.2]"),
        ("IPv6:2001:db8:1:2::9", "IPv6:2001:db8::1"),
        ("https://a.example/x?u=ann see", "https://host2.example/1 see"),
        ("b1/mx.a.com--", "b1/host1.example--"),
        ("bounce+ann=a.com@b.com", "user1+user2=host3.example@host4.example"),
        ("MAILER-DAEMON@mx.a.com", "MAILER-DAEMON@host1.example"),
        ("550 5.1.1 user unknown, 4.4.7", "550 5.1.1 user unknown, 4.4.7"),
        ("RESOLVER.ADR.RecipNotFound", "RESOLVER.ADR.RecipNotFound"),
        ("Tue, 03 Sep 2024 10:00:02 +0000", "Tue, 03 Sep 2024 10:00:02 +0000"),
        ("message/delivery-status", "message/delivery-status"),
    ],
)
def test_apply(text: str, expected: str) -> None:
    """What is private is replaced by its kind; what a reader goes by stays."""
    assert Pseudonyms().apply(text) == expected


def test_what_stands_alone() -> None:
    """Local parts, and names of people, are known again without their address."""
    names = Pseudonyms()
    names.learn(["to ann.lee@a.example, info@a.example"], ["Dora Quill"], ["The autumn letter"])
    shown = names.apply("ann.lee: no such user; info. Quill wrote Re: the autumn letter")
    assert shown == "user1: no such user; info. Name4 wrote Re: Name5"


def test_kept_hosts() -> None:
    """A host that is kept stays, and all below it."""
    names = Pseudonyms(["a.example"])
    assert names.apply("x@mx.a.example b.example") == "user1@mx.a.example host2.example"
    assert Pseudonyms([""]).apply("x@mx.a.example") == "user1@mx.a.example"


@given(st.lists(st.sampled_from(["ann@a.example", "bo@b.com", "mx.c.org", "192.0.2.7", "word"])))
def test_one_to_one(words: list[str]) -> None:
    """As many different things as before, in the same places."""
    shown = Pseudonyms().apply(" ".join(words)).split()
    assert [shown.index(each) for each in shown] == [words.index(each) for each in words]

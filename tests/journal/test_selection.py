"""Which records are wanted."""

from __future__ import annotations

import pytest

from kumo_handlers.errors import AddressError
from kumo_handlers.journal import selection
from kumo_handlers.journal.selection import Head, Selection

OOB = Head("OOB", "news@Bounce.Example.com", "gone@nowhere.example", 50.0, 100.0)


@pytest.mark.parametrize(
    "wanted",
    [
        Selection(),
        Selection(frozenset({"OOB", "Feedback"})),
        Selection(domains=("nowhere.example",)),
        Selection(domains=("bounce.example.com",)),
        Selection(domains=("*.example.com",)),
        Selection(since=100.0),
    ],
)
def test_wanted(wanted: Selection) -> None:
    """Type, domain of either address, and when it was logged, which the report does not say."""
    assert OOB in wanted


@pytest.mark.parametrize(
    "wanted",
    [
        Selection(frozenset({"Feedback"})),
        Selection(domains=("example.com",)),
        Selection(domains=("*.nowhere.example",)),
        Selection(since=100.5),
    ],
)
def test_unwanted(wanted: Selection) -> None:
    """Each condition for itself keeps a record out."""
    assert OOB not in wanted


def test_a_delivery_is_logged_when_it_happens() -> None:
    """However long ago the mail came in."""
    assert selection.logged(Head("Delivery", "", "a@b.example", 100.0, 1.0)) == 100.0


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@B.example.", "b.example"),
        ("a@bücher.example", "xn--bcher-kva.example"),
        ("", ""),
        ("postmaster", ""),
        ([97, 255], ""),
        ("a@\udcff", "\udcff"),
    ],
)
def test_domain_of(address: object, domain: str) -> None:
    """Folded as domains are; what is no text has none."""
    assert selection.domain_of(address) == domain


def test_asked_domains() -> None:
    """As they are written, folded."""
    assert selection.fold("*.Bücher.example") == "*.xn--bcher-kva.example"
    with pytest.raises(AddressError):
        selection.fold("a b")

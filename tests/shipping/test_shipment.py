"""The setting ``ship``: read strictly, and its secrets shown to nobody."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.journal.selection import Selection
from kumo_handlers.pipeline.settings import Settings
from kumo_handlers.shipping import orders, shipment
from kumo_handlers.shipping.orders import Orders

SECRET = "hu%2Fsh"  # noqa: S105 - invented


def test_a_url_is_enough() -> None:
    """Everything of the log, under a name made of the URL without user and password."""
    (one,) = shipment.read(f"https://ann:{SECRET}@log.example:8443/in/mail?token=x")
    assert one.name.rpartition("-")[0] == "https-log.example-8443"
    assert one.selection == Selection()
    assert one.options == {}


def test_a_name_has_nothing_of_a_hook_s_path() -> None:
    """Which may be its secret; yet two paths of a host have two names, whatever the order."""
    first, second = (f"https://log.example/services/{each}" for each in ("hushA", "hushB"))
    names = [one.name for one in shipment.read([first, second])]
    assert [one.name for one in shipment.read([second, first])] == names[::-1]
    assert len({*names}) == 2
    for one in shipment.read([first, second]):
        assert one.name.startswith("https-log.example-")
        assert one.shown_url == "https://log.example/***"
        assert "hush" not in one.scrubbed(f"cannot reach {one.url.text}")
        assert "hush" not in f"{one.name} {one!r} {Settings.read({'ship': [one]})!r}"
    assert shipment.read("postgresql://u:x@db.example/mail")[0].name == "postgresql-db.example-mail"


@pytest.mark.parametrize("url", ["https://", "https://u:hush@", "https://ann:12/hush@log.example/"])
def test_a_url_without_the_host_that_was_meant_is_refused(url: str) -> None:
    """None at all, or half of a password instead; it is not shown."""
    with pytest.raises(ConfigurationError, match=r"this is no URL|write / in a password") as caught:
        shipment.read(url)
    assert "hush" not in str(caught.value)


def test_a_table() -> None:
    """With what of the log, and the destination's own options."""
    (one,) = shipment.read(
        {
            "url": "https://log.example/",
            "name": "hook",
            "types": "OOB",
            "domains": ["EXAMPLE.com", "*.example.net"],
            "timeout": "5s",
            "secret": SECRET,
        }
    )
    assert one.name == "hook"
    assert one.selection == Selection(frozenset({"OOB"}), ("example.com", "*.example.net"))
    assert (one.timeout, one.options) == (5.0, {"secret": SECRET})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (5, r"\[1\]\.url: wrong value, got 'int'; expected a URL of"),
        ("ftp://h/", r"\[1\]\.url: this is no URL of .*https.*, got 'ftp://h/'"),
        (f"htps://ann:{SECRET}@h/", "got 'htps://ann:\\*\\*\\*@h/'"),
        ({}, r"\[1\]\.url: is missing"),
        (["https://h/", {"url": "https://h/"}], r"\[2\]\.name: two entries have one name"),
        ({"url": "https://h/", "type": "OOB"}, r"type: unknown option.*Did you mean types"),
        ({"url": "https://h/", "types": ["OBB"]}, "got 'OBB'.*Did you mean OOB"),
        ({"url": "https://h/", "types": []}, r"got \[\]; expected record types"),
        ({"url": "https://h/", "domains": ["a..b"]}, "expected domains"),
        ({"url": "https://h/", "name": "../x"}, "got '../x'; expected letters"),
        ({"url": "https://h/", "secret": 7}, "secret: wrong value, got int; expected text"),
        ({"url": "https://h/", "headers": {"X": 7}}, "headers: wrong value, got dict"),
    ],
)
def test_mistakes(raw: object, message: str) -> None:
    """Each names the entry, the option, the value and what was expected, and no secret."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        Settings.read({"ship": raw})
    assert SECRET not in str(caught.value)
    assert "option ship[" in str(caught.value)


def test_nothing_shows_a_secret() -> None:
    """Neither the entry, nor the settings it is in, nor text that went through it."""
    given: dict[str, Any] = {
        "url": f"https://ann:{SECRET}@log.example/",
        "secret": "signing",
        "headers": {"Authorization": "Bearer bear"},
    }
    settings = Settings.read({"ship": [given]})
    (one,) = settings.ship
    said = one.scrubbed(f"cannot reach {one.url.text} with signing, Bearer bear and {SECRET}")
    for text in (repr(one), repr(settings), str(one), said):
        assert "***" in text
        for secret in (SECRET, "signing", "Bearer bear"):
            assert secret not in text


def test_orders() -> None:
    """What is told to the shipping process is what was read."""
    read = shipment.read(
        ["https://ann:x@h/", {"url": "http://h/in", "types": ["OOB"], "headers": {"A": "b"}}]
    )
    given = Orders("run", read)
    assert orders.decode(orders.encode(given)) == given
    with pytest.raises(msgspec.DecodeError):
        orders.decode(b"{}\n")

"""Routing keys: templates that name fields, and values that cannot widen a binding."""

from __future__ import annotations

import pytest

from kumo_handlers.shipping import routing_key
from kumo_handlers.shipping.parcel import parcel

from .conftest import line


@pytest.mark.parametrize("template", ["{type}.{domain}", "mail", "{nodeid}.{queue}.{site}"])
def test_templates(template: str) -> None:
    """Fields, or none."""
    assert routing_key.check(template) == template


@pytest.mark.parametrize(
    "template", ["", 5, None, "{", "{}", "{recipient}", "{type!r}", "{type:>9}", "{type.upper}"]
)
def test_no_templates(template: object) -> None:
    """Nothing else of the record, and nothing of Python."""
    with pytest.raises(ValueError, match=r"."):
        routing_key.check(template)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "Delivery.dest.example"),
        ({"recipient": "<>"}, "Delivery.-"),
        ({"recipient": [255, 64]}, "Delivery.-"),
        ({"type": "a*b#c d\n"}, "a_b_c_d_.dest.example"),
        ({"recipient": "a@B.Example."}, "Delivery.b.example"),
    ],
)
def test_filled(fields: dict[str, object], expected: str) -> None:
    """What is empty, or means something in a binding, is replaced."""
    found = parcel(line(1, **({"recipient": "r@dest.example"} | fields)))
    assert routing_key.fill("{type}.{domain}", found.fields) == expected


def test_a_long_one() -> None:
    """It is cut to what AMQP takes, and stays text."""
    found = parcel(line(1, nodeid="é" * 300))
    key = routing_key.fill("x{nodeid}", found.fields)
    assert len(key.encode()) == 255
    assert set(key) == {"x", "é"}

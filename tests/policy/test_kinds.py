"""Each kind of option: what it takes, what it refuses, how it shows a value."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy import kinds
from kumo_handlers.policy.networks import Networks

if TYPE_CHECKING:
    from kumo_handlers.policy.options import Kind


class Flag(enum.Enum):
    """Two words, and one that only ``true`` says."""

    OFF = "Off"
    ON = "true"
    HALF = "Half"


CHOICE = kinds.choice(Flag)
OR_BOOL = kinds.choice_or_bool(Flag, true=Flag.ON, false=Flag.OFF)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (kinds.BOOL, False, False),
        (kinds.COUNT, 1, 1),
        (kinds.TEXT, "", ""),
        (kinds.TEXT, "ESMTP ready", "ESMTP ready"),
        (kinds.HOST_NAME, "mail.example.com", "mail.example.com"),
        (kinds.HOST_NAME, "[192.0.2.1]", "[192.0.2.1]"),
        (kinds.HOST_NAME, "MX.bücher.example", "mx.xn--bcher-kva.example"),
        (kinds.REPLY, "ESMTP ready", "ESMTP ready"),
        (kinds.FIELD_NAME, "X-KumoRef", "X-KumoRef"),
        (kinds.PATH, "/etc/cert.pem", "/etc/cert.pem"),
        (kinds.STRINGS, ["a", "b", "a"], frozenset({"a", "b"})),
        (kinds.STRINGS, (), frozenset()),
        (kinds.NETWORKS, ["::1"], Networks.parse(["::1"])),
        (kinds.NETWORKS, "any", Networks.parse(["any"])),
        (kinds.NETWORKS, Networks.parse(["::1"]), Networks.parse(["::1"])),
        (kinds.DURATION, "5 mins", 300.0),
        (kinds.ENDPOINT, "0:25", "0:25"),
        (kinds.TABLE, {"a": 1}, {"a": 1}),
        (kinds.METADATA, {"a": {"b": [1, True, "\udcff"]}}, {"a": {"b": [1, True, "\udcff"]}}),
        (CHOICE, "Half", Flag.HALF),
        (CHOICE, Flag.HALF, Flag.HALF),
        (OR_BOOL, True, Flag.ON),
        (OR_BOOL, False, Flag.OFF),
        (OR_BOOL, "Off", Flag.OFF),
        (OR_BOOL, Flag.ON, Flag.ON),
    ],
)
def test_taken(kind: Kind, raw: object, value: object) -> None:
    """A value of the kind, as the Struct wants it."""
    assert kind.read(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "hint"),
    [
        (kinds.BOOL, 1, None),
        (kinds.BOOL, [True], None),
        (kinds.BOOL, {"a": True}, None),
        (kinds.BOOL, "false", "without quotes: false"),
        (kinds.COUNT, 0, None),
        (kinds.COUNT, True, None),
        (kinds.COUNT, 1.0, None),
        (kinds.TEXT, "two\r\nlines", None),
        (kinds.TEXT, 1, None),
        (kinds.REPLY, "bücher", None),
        (kinds.REPLY, 1, None),
        (kinds.HOST_NAME, "", None),
        (kinds.HOST_NAME, "my host", None),
        (kinds.HOST_NAME, 1, None),
        (kinds.FIELD_NAME, "X-Kumo: evil", None),
        (kinds.FIELD_NAME, "", None),
        (kinds.PATH, "", None),
        (kinds.STRINGS, "bob", "Did you mean ['bob']?"),
        (kinds.STRINGS, ["bob", 1], None),
        (kinds.STRINGS, [""], None),
        (kinds.NETWORKS, "10.0.0.0/24", "Did you mean ['10.0.0.0/24']?"),
        (kinds.NETWORKS, "ANY", "Did you mean any?"),
        (kinds.NETWORKS, "10.0.0.0/24, ::1", None),
        (kinds.NETWORKS, [10], None),
        (kinds.NETWORKS, {}, None),
        (kinds.DURATION, "soon", None),
        (kinds.ENDPOINT, "mail.example.com", None),
        (kinds.ENDPOINT, 25, None),
        (kinds.TABLE, {1: 2}, None),
        (kinds.METADATA, {"a": {"b": object()}}, None),
        (CHOICE, "half", "Did you mean Half?"),
        (CHOICE, True, None),
        (OR_BOOL, "true", None),
        (OR_BOOL, "hal", "Did you mean Half?"),
        (OR_BOOL, 1, None),
    ],
)
def test_refused(kind: Kind, raw: object, hint: str | None) -> None:
    """Anything else, with a suggestion where the slip is a known one."""
    with pytest.raises(ConfigurationError) as caught:
        kind.read(raw)
    (problem,) = caught.value.problems
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (kinds.BOOL, True, "true"),
        (kinds.STRINGS, frozenset("ba"), "['a', 'b']"),
        (kinds.NETWORKS, Networks.parse(["::1", "any"]), "['::1', 'any']"),
        (kinds.PATH, None, ""),
        (CHOICE, Flag.HALF, "Half"),
        (OR_BOOL, Flag.OFF, "false"),
        (OR_BOOL, Flag.ON, "true"),
    ],
)
def test_shown(kind: Kind, value: object, text: str) -> None:
    """As a person would write it."""
    assert kind.show(value) == text

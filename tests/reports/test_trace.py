"""The trace header: read as KumoMTA writes it, signed as nobody else can."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.reports import trace
from kumo_handlers.reports.report import TraceTrust

NOW = 1_700_000_000.0
KEYS = trace.Keys.read({"2024-b": "b" * 32, "2024-a": "a" * 32})


def encoded(content: object) -> str:
    """``content`` as base64 JSON, as KumoMTA writes it."""
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_kumomta_header_is_found() -> None:
    """The value KumoMTA's own documentation shows, whatever the field is called."""
    value = "eyJfQF8iOiJcXF8vIiwicmVjaXBpZW50IjoidGVzdEBleGFtcGxlLmNvbSJ9"
    found, trust = trace.find([("Subject", "e"), ("X-Whatever", value)])
    assert found == {"recipient": "test@example.com"}
    assert trust is TraceTrust.UNSIGNED


@given(st.lists(st.tuples(st.sampled_from(["X-Ref", "x-a", "Subject"]), st.sampled_from("aeE"))))
def test_what_is_passed_over_has_no_trace(fields: list[tuple[str, str]]) -> None:
    """A header block that is not looked into has no field that begins as a trace does."""
    block = "".join(f"{name}:\r\n {value}\r\n" for name, value in fields).encode()
    likely = any(name != "Subject" and value == "e" for name, value in fields)
    assert trace.may_stand_in(block) is likely


def test_a_field_behind_a_cr_alone_is_looked_at() -> None:
    """It ends a line where the fields are read, so it has to where they are looked for."""
    assert trace.may_stand_in(b"Subject: a\n\rX-Ref: eyJ\nTo: b@c.example")


@pytest.mark.parametrize("fold", ["\r\n\t", "\n ", " ", ""])
def test_folding_does_not_matter(fold: str) -> None:
    """A value cut anywhere by blanks and line ends is the same value."""
    value = encoded({"_@_": "\\_/", "recipient": "a@example.com", "campaign": "spring"})
    folded = value[:7] + fold + value[7:31] + fold + value[31:]
    assert trace.find([("x-ref", folded)])[0] == {
        "recipient": "a@example.com",
        "campaign": "spring",
    }


@pytest.mark.parametrize(
    "value",
    [
        "",
        "e",
        "eyJ",
        "eyJhIjoxfQ==",
        encoded({"_@_": "other", "recipient": "a@example.com"}),
        encoded(["_@_", "\\_/"]),
        "e" * 100_000,
        base64.b64encode(b'{"_@_":"\\\\_/","a":' + b"[" * 8000).decode(),
        base64.b64encode(b"{\xff}").decode(),
    ],
)
def test_others_headers_are_no_trace(value: str) -> None:
    """What is not ours, or too big, or broken, is passed over."""
    assert trace.find([("X-Other", value)]) == (None, None)


def test_only_x_fields_are_looked_at() -> None:
    """A trace in a field of another kind is none."""
    assert trace.find([("Comments", trace.make("a@example.com", {}))]) == (None, None)


def test_signed_by_the_first_key_and_verified() -> None:
    """What `make` signed, `find` trusts; every line of it fits in 78 octets."""
    value = trace.make("a@example.com", {"campaign": "x" * 200}, KEYS, NOW)
    assert max(map(len, value.split("\r\n"))) < 78
    found, trust = trace.find([("X-KumoRef", value)], KEYS, NOW + 60)
    assert found == {"recipient": "a@example.com", "campaign": "x" * 200}
    assert trust is TraceTrust.SIGNED


def test_a_replaced_key_is_still_good() -> None:
    """Mail signed before the keys were rotated is trusted after."""
    old = trace.Keys(KEYS.known[1:])
    value = trace.make("a@example.com", {}, old, NOW)
    assert trace.find([("X-KumoRef", value)], KEYS, NOW)[1] is TraceTrust.SIGNED


@pytest.mark.parametrize(
    ("later", "trust"),
    [
        (0, TraceTrust.SIGNED),
        (-200, TraceTrust.SIGNED),
        (-301, TraceTrust.EXPIRED),
        (trace.DEFAULT_MAX_AGE, TraceTrust.SIGNED),
        (trace.DEFAULT_MAX_AGE + 1, TraceTrust.EXPIRED),
    ],
)
def test_a_signature_has_its_time(later: float, trust: TraceTrust) -> None:
    """Neither too old nor from the future, clocks being what they are."""
    value = trace.make("a@example.com", {}, KEYS, NOW)
    assert trace.find([("X-KumoRef", value)], KEYS, NOW + later)[1] is trust


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": "other@example.com"},
        {"campaign": "added"},
        {"_sig_": {"key": "2024-a", "time": int(NOW), "hmac": "00" * 32}},
        {"_sig_": {"key": "unknown", "time": int(NOW), "hmac": "00" * 32}},
        {"_sig_": {"key": ["2024-b"], "time": "x", "hmac": None}},
        {"_sig_": {}},
    ],
)
def test_a_changed_trace_is_not_trusted(change: dict[str, object]) -> None:
    """Any change to what was signed shows; the content is still given, with that verdict."""
    value = trace.make("a@example.com", {}, KEYS, NOW)
    content = json.loads(base64.b64decode("".join(value.split())))
    found, trust = trace.find([("X-KumoRef", encoded(content | change))], KEYS, NOW)
    assert trust is TraceTrust.BAD_SIGNATURE
    assert found is not None


def test_a_forged_header_before_ours_is_passed_over() -> None:
    """The signed one wins over an unsigned one that stands before it."""
    forged = encoded({"_@_": "\\_/", "recipient": "victim@example.com"})
    ours = trace.make("a@example.com", {}, KEYS, NOW)
    found, trust = trace.find([("X-A", forged), ("X-B", ours)], KEYS, NOW)
    assert (found, trust) == ({"recipient": "a@example.com"}, TraceTrust.SIGNED)


def test_metadata_cannot_pretend_to_be_ours() -> None:
    """Neither the recipient, nor the marker, nor a signature come from metadata."""
    value = trace.make("a@example.com", {"recipient": "x", "_@_": "x", "_sig_": "x"}, KEYS, NOW)
    assert trace.find([("X-KumoRef", value)], KEYS, NOW) == (
        {"recipient": "a@example.com"},
        TraceTrust.SIGNED,
    )


@pytest.mark.parametrize("meta", [{"a": "x" * 20_000}, {"a": "\udc80"}])
def test_what_does_not_fit_is_left_out(meta: dict[str, object]) -> None:
    """The recipient goes alone where the metadata is too big or is no text."""
    found, _ = trace.find([("X-KumoRef", trace.make("a@example.com", meta))])
    assert found == {"recipient": "a@example.com"}


def test_keys_must_be_long_enough() -> None:
    """Every key that is too short is named, not only the first."""
    with pytest.raises(ConfigurationError) as caught:
        trace.Keys.read({"a": "short", "b": "b" * 16, "c": ""})
    assert len(caught.value.problems) == 2


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), values, max_size=5))
def test_any_metadata_comes_back_signed(meta: dict[str, object]) -> None:
    """Whatever JSON can hold survives the way out and back, its signature good."""
    value = trace.make("a@example.com", meta, KEYS, NOW)
    _, trust = trace.find([("X-KumoRef", value)], KEYS, NOW)
    assert trust is TraceTrust.SIGNED


@given(st.lists(st.tuples(st.just("X-A"), st.text() | st.binary().map(lambda raw: "e" + str(raw)))))
def test_no_header_raises(headers: list[tuple[str, str]]) -> None:
    """Nothing a stranger can write raises."""
    assert trace.find(headers, KEYS, NOW) == (None, None)

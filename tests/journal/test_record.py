"""Log records: KumoMTA's keys, one line each, whatever is in them."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.journal.record import (
    Arrival,
    Record,
    RecordType,
    Response,
    encode,
    reception,
    rejection,
)
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.reply import reply
from kumo_handlers.mail.session import Peer, Session

KUMOMTA = """
    type id sender recipient queue site size response peer_address timestamp event_time created
    created_time num_attempts bounce_classification egress_pool egress_source source_address
    feedback_report meta headers delivery_protocol reception_protocol nodeid session_id
""".split()  # noqa: SIM905 - a list of words is read as words
OK = Response.of(reply(250, "2.0.0", "OK"), "DATA")


def arrival(**more: object) -> Arrival:
    """A message for Bob."""
    given = {
        "id": "x",
        "session": Session("s", Peer("192.0.2.9", 25), client_name="client.example", meta={"a": 1}),
        "reverse_path": parse(""),
        "forward_path": parse("Bob@Example.COM"),
        "size": 3,
        "time": 1.5,
        "meta": {"rule": "relay_to"},
    }
    return Arrival(**(given | more))


def test_the_keys_are_kumomtas() -> None:
    """All of them, in their order, and nothing that does not apply."""
    record = json.loads(encode(reception(arrival(), OK)))
    assert list(record) == KUMOMTA
    assert record["response"] == {
        "code": 250,
        "enhanced_code": {"class": 2, "subject": 0, "detail": 0},
        "content": "OK",
        "command": "DATA",
    }
    assert record["peer_address"] == {"name": "client.example", "addr": "192.0.2.9"}


def test_what_is_taken_from_the_arrival() -> None:
    """Addresses as received, the queue by the folded domain, metadata of session and message."""
    record = reception(arrival(), OK)
    assert (record.sender, record.recipient, record.queue) == ("", "Bob@Example.COM", "example.com")
    assert record.meta == {"a": 1, "rule": "relay_to"}
    assert (record.timestamp, record.event_time) == (1, 1.5)
    assert rejection(arrival(), OK, queue="other").queue == "other"


def test_tls_where_it_applies() -> None:
    """Keys of the session's TLS, beside the others."""
    session = Session("s", Peer("192.0.2.9"), tls={"tls_cipher": "X", "tls_protocol_version": "Y"})
    record = json.loads(encode(reception(arrival(session=session), OK)))
    assert (record["tls_cipher"], record["tls_protocol_version"]) == ("X", "Y")


def test_bytes_that_are_not_utf8() -> None:
    """A list of numbers, as KumoMTA writes them."""
    session = Session("s", Peer("192.0.2.9"), client_name="a\udcffb")
    record = json.loads(encode(reception(arrival(session=session), OK)))
    assert record["peer_address"]["name"] == [97, 255, 98]


@pytest.mark.parametrize("values", [("a\udcffb", "c"), ["a\udcffb", "c"]])
def test_bytes_that_are_not_utf8_among_several_values(values: object) -> None:
    """Fields that may be repeated are tuples or lists, and stand in dictionaries."""
    record = json.loads(encode(reception(arrival(), OK, feedback_report={"reported_uri": values})))
    assert record["feedback_report"]["reported_uri"] == [[97, 255, 98], "c"]


@given(st.text(alphabet=st.characters(), max_size=20) | st.sampled_from(["\ud800", "\udcff\udc80"]))
def test_any_text_stays_on_its_line(text: str) -> None:
    """Line feeds, controls, lone surrogates: one line of JSON."""
    record = reception(arrival(meta={text: text}), Response(250, None, text), report={"x": text})
    line = encode(record)
    assert b"\n" not in line
    assert json.loads(line)["type"] == "Reception"


def test_a_report_has_a_key_and_other_mail_has_none() -> None:
    """By it a repeated report is known."""
    record = reception(arrival(), OK)
    assert record.key is None
    assert msgspec.structs.replace(record, report={"key": "k"}).key == "k"


def test_types_are_kumomtas() -> None:
    """Spelled as KumoMTA spells them."""
    assert {str(each) for each in RecordType} == {
        "Reception",
        "Rejection",
        "OOB",
        "Feedback",
        "Delivery",
        "TransientFailure",
        "Bounce",
        "Expiration",
    }
    assert Record.__struct_fields__[: len(KUMOMTA)] == tuple(KUMOMTA)

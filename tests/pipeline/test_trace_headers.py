"""What stands on top of a relayed message, and messages that go round."""

from __future__ import annotations

from email import message_from_bytes

import msgspec
import pytest

from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline import trace_headers
from kumo_handlers.policy.listener import Listener, TraceHeaders
from kumo_handlers.reports import trace
from kumo_handlers.reports.report import TraceTrust

ARRIVAL = Arrival(
    id="0123",
    session=Session(
        "s",
        Peer("192.0.2.9", 4000),
        hostname="mx.example.com",
        client_name="client.example",
        meta={"campaign": "spring", "secret": "x"},
    ),
    reverse_path=parse("ann@elsewhere.example"),
    forward_path=parse("Bob@Example.com"),
    size=1,
    time=1_700_000_000.0,
)


def listener(**options: object) -> Listener:
    """A listener with these trace headers."""
    return Listener(trace_headers=TraceHeaders(**options))


def test_received() -> None:
    """RFC 5321, 4.4: from, by, with, id, for, and the date."""
    made = trace_headers.make(ARRIVAL, listener(supplemental_header=False))
    assert made == (
        b"Received: from client.example ([192.0.2.9])\r\n"
        b"\tby mx.example.com (kumo_handlers) with ESMTP id 0123\r\n"
        b"\tfor <Bob@Example.com>; Tue, 14 Nov 2023 22:13:20 -0000\r\n"
    )


@pytest.mark.parametrize(
    ("host", "shown"), [("2001:db8::1", "[IPv6:2001:db8::1]"), ("", "[unknown]")]
)
def test_received_from_other_peers(host: str, shown: str) -> None:
    """IPv6 has its tag (RFC 5321, 4.1.3); a Unix socket has no address."""
    session = msgspec.structs.replace(ARRIVAL.session, peer=Peer(host))
    arrival = msgspec.structs.replace(ARRIVAL, session=session)
    assert shown.encode() in trace_headers.make(arrival, listener(supplemental_header=False))


def test_the_trace_header_can_be_read_again() -> None:
    """The recipient and the metadata that were asked for, and no other."""
    made = trace_headers.make(
        ARRIVAL, listener(received_header=False, include_meta_names=frozenset({"campaign"}))
    )
    message = message_from_bytes(made + b"\r\n")
    assert list(message.keys()) == ["X-KumoRef"]
    assert trace.find(message.items()) == (
        {"recipient": "Bob@Example.com", "campaign": "spring"},
        TraceTrust.UNSIGNED,
    )


def test_a_signed_trace_header() -> None:
    """With a key, it is signed with the time of arrival."""
    keys = trace.Keys.read({"2023": "a secret of sixteen bytes"})
    made = trace_headers.make(ARRIVAL, listener(header_name="X-Ours"), keys)
    headers = message_from_bytes(made + b"\r\n").items()
    found, trust = trace.find(headers, keys, ARRIVAL.time + 5)
    assert trust is TraceTrust.SIGNED
    assert found == {"recipient": "Bob@Example.com"}


def test_none_at_all() -> None:
    """Both can be switched off."""
    off = listener(received_header=False, supplemental_header=False)
    assert trace_headers.make(ARRIVAL, off) == b""


@pytest.mark.parametrize(("hops", "loops"), [(0, False), (99, False), (100, True), (300, True)])
def test_a_loop(hops: int, loops: bool) -> None:  # noqa: FBT001 - the expected answer
    """A hundred Received fields in the header, in any case; those in the body do not count."""
    content = b"RECEIVED: from a\r\n" * hops + b"\r\n" + b"Received: x\r\n" * 200
    assert trace_headers.is_looping(content) is loops

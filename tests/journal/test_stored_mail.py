"""A message from a file: what stands for its arrival."""

from __future__ import annotations

import pytest

from kumo_handlers.journal import stored_mail


@pytest.mark.parametrize(
    ("fields", "reverse_path", "forward_path"),
    [
        (b"Return-Path: <>\nTo: a@x.example\n", "", "a@x.example"),
        (b"Return-Path: <s@y.example>\nDelivered-To: b@x.example\n", "s@y.example", "b@x.example"),
        (b'To: "Ann, at home" <a+B@X.example>, c@x.example\n', "", "a+B@X.example"),
        (b"X-Original-To: d@x.example\nTo: list@x.example\n", "", "d@x.example"),
        (b"To: undisclosed-recipients:;\n", "", ""),
        (b"Subject: x\n", "", ""),
    ],
)
def test_envelope(fields: bytes, reverse_path: str, forward_path: str) -> None:
    """The headers that the last server wrote come first; nothing is guessed."""
    arrival = stored_mail.arrival(fields + b"\nbody", 5.0)
    assert str(arrival.forward_path) == forward_path
    assert str(arrival.reverse_path) == reverse_path
    assert (arrival.time, arrival.size) == (5.0, len(fields) + 5)


def test_the_id_is_the_contents() -> None:
    """The same message has the same id, another has another."""
    ids = [stored_mail.arrival(raw, 0).id for raw in (b"a", b"a", b"b")]
    assert ids[0] == ids[1] != ids[2]

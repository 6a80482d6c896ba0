"""``IP:PORT`` in all the ways it is written."""

from __future__ import annotations

import pytest

from kumo_handlers.policy import endpoint


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("127.0.0.1:25", "127.0.0.1:25"),
        ("0:25", "0.0.0.0:25"),
        ("0.0.0.0:25", "0.0.0.0:25"),
        ("localhost:25", "127.0.0.1:25"),
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("127.0.0.1:025", "127.0.0.1:25"),
        ("[::]:25", "[::]:25"),
        ("[0:0:0:0:0:0:0:1]:25", "[::1]:25"),
        ("[2001:DB8::1]:2525", "[2001:db8::1]:2525"),
        ("[::ffff:192.0.2.1]:25", "192.0.2.1:25"),
    ],
)
def test_one_spelling_for_each(text: str, canonical: str) -> None:
    """Whoever compares endpoints compares this spelling, and it is its own."""
    assert str(endpoint.parse(text)) == canonical == endpoint.canonical(text)
    assert endpoint.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25",
        ":25",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "::1:25",
        "127.0.0.1:\u0662",
        "mail.example.com:25",
        "[fe80::1%eth0]:25",
        "[::1:25",
        "*:25",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    """Neither names nor half an endpoint; and comparing leaves them as they are."""
    with pytest.raises(ValueError, match="is no endpoint"):
        endpoint.parse(text)
    assert endpoint.canonical(text) == text

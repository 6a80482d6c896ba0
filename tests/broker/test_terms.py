"""What the URL of a broker may say, and what is said about it."""

from __future__ import annotations

import pytest

from kumo_handlers.broker import terms
from kumo_handlers.errors import ConfigurationError

HUSH = "geheim"


def test_the_words_that_are_ours() -> None:
    """They are read; the rest goes to the client library."""
    url = terms.read(
        f"amqp://user:{HUSH}@mq.example/vhost?heartbeat=5&prefix=mx&queues=bounces"
        "&take=bounces,relay&prefetch=7&confirm_timeout=5s&retry=1s,2,1%20minute&delivery_limit=3"
    )
    assert url.server == f"amqp://user:{HUSH}@mq.example/vhost?heartbeat=5"
    ours = url.terms
    assert (ours.prefix, ours.queues, ours.taken) == (
        "mx",
        ("mail", "bounces"),
        ("bounces", "relay"),
    )
    assert (ours.prefetch, ours.confirm_timeout, ours.delivery_limit) == (7, 5.0, 3)
    assert ours.retry == (1.0, 2.0, 60.0)
    assert (ours.queue_of("complaints"), ours.queue_of("bounces")) == ("mx.mail", "mx.bounces")
    assert HUSH not in f"{url} {url!r} {url.scrubbed(OSError(url.server))}"


@pytest.mark.parametrize(
    ("seconds", "wait"), [(0.0, 10.0), (10, 10.0), (24, 10.0), (26, 60.0), (9e9, 1800.0)]
)
def test_the_nearest_wait(seconds: float, wait: float) -> None:
    """By ratio, for waits grow by it."""
    assert terms.Terms().wait_for(seconds) == wait


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("retri=1", "option retri: unknown option"),
        ("prefetch=0", "option prefetch: wrong value, got '0'"),
        ("prefetch=many", "a whole number above 0"),
        ("retry=0.01", "at least 0.1 s"),
        ("retry=5,1", "each as long as the one before"),
        ("retry=soon", "option retry: wrong value, got 'soon'"),
        ("take=letters", "some of mail, bounces, complaints, relay"),
        ("queues=relay", "some of mail, bounces, complaints"),
        ("confirm_timeout=0", "option confirm_timeout: wrong value"),
    ],
)
def test_words_that_cannot_be(query: str, expected: str) -> None:
    """The error names the word, what stands there and what is expected; no password."""
    with pytest.raises(ConfigurationError) as caught:
        terms.read(f"amqp://user:{HUSH}@mq.example/?{query}")
    assert expected in str(caught.value)
    assert HUSH not in str(caught.value)


def test_what_is_no_url() -> None:
    """Neither is that repeated with its password."""
    with pytest.raises(ConfigurationError, match="no URL of amqp, amqps") as caught:
        terms.read(f"http://user:{HUSH}@mq.example/")
    assert HUSH not in str(caught.value)

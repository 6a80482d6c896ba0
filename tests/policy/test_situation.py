"""What a person asks becomes what the decision needs."""

from __future__ import annotations

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.mail.address import NULL
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.overrides import Overrides
from kumo_handlers.policy.situation import Question, of, read_peer

SETTINGS = (
    Listener(listen="10.0.0.1:25", hostname="one.example"),
    Listener(listen="0.0.0.0:25", hostname="every.example"),
    Listener(listen="[::]:26", hostname="six.example"),
)


def ask(**more: str) -> Question:
    """A question of which only ``more`` matters."""
    return Question(**{"peer": "192.0.2.1", "sender": "", "recipient": "x@example.com"} | more)


@pytest.mark.parametrize(
    ("where", "listen"),
    [
        ("", "10.0.0.1:25"),
        ("10.0.0.1:25", "10.0.0.1:25"),
        ("10.0.0.2:25", "0.0.0.0:25"),
        ("0:25", "0.0.0.0:25"),
        ("10.0.0.2:26", "[::]:26"),
        ("[2001:db8::1]:26", "[::]:26"),
    ],
)
def test_the_listener_that_takes_the_connection(where: str, listen: str) -> None:
    """One that names the address comes before one that is everywhere."""
    assert of(ask(listener=where), SETTINGS).session.listener == listen


def test_local_address_is_what_was_asked() -> None:
    """Both name sections: the address connected to, and the listener as written."""
    session = of(ask(listener="10.0.0.2:25"), SETTINGS).session
    assert (session.local, session.listener) == ("10.0.0.2:25", "0.0.0.0:25")


def test_the_listener_is_as_the_peer_sees_it() -> None:
    """Options by peer hold for this peer."""
    listener = Listener(peer=Overrides({"192.0.2.0/24": {"hostname": "other.example"}}))
    assert of(ask(), [listener]).listener.hostname == "other.example"
    assert of(ask(peer="10.0.0.1"), [listener]).listener.hostname == listener.hostname


@pytest.mark.parametrize(
    ("given", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 0),
        ("192.0.2.1:4025", "192.0.2.1", 4025),
        ("::ffff:192.0.2.1", "192.0.2.1", 0),
        ("2001:DB8:0::1", "2001:db8::1", 0),
        ("[2001:db8::1]:25", "2001:db8::1", 25),
    ],
)
def test_peers(given: str, host: str, port: int) -> None:
    """With a port or without, in canonical spelling."""
    peer = read_peer(given)
    assert (peer.host, peer.port) == (host, port)


@pytest.mark.parametrize("sender", ["", "<>"])
def test_null_sender(sender: str) -> None:
    """Written as in SMTP, or as nothing."""
    assert of(ask(sender=sender)).reverse_path == NULL


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (ask(peer="mx.example.com"), "option peer: wrong value"),
        (ask(sender="x@"), "option from: wrong value"),
        (ask(recipient="<>"), "expected the address of a recipient"),
        (ask(recipient="x y@example.com"), "needs quotes"),
        (ask(listener="25"), "option listener: wrong value"),
        (ask(listener="10.0.0.1:27"), "one of the listeners there are: 10.0.0.1:25, 0.0.0.0:25"),
    ],
)
def test_what_cannot_be_asked(question: Question, message: str) -> None:
    """The error names the option and what was expected."""
    with pytest.raises(ConfigurationError) as error:
        of(question, SETTINGS)
    assert message in str(error.value)

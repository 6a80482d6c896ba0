"""Mail to relay."""

from __future__ import annotations

from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail.address import NULL, parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.queue.queued_mail import Facts, QueuedMail


def test_of_an_arrival() -> None:
    """The facts that later records repeat, and nothing of the session beside."""
    arrival = Arrival(
        id="m1",
        session=Session(id="s", peer=Peer("192.0.2.1", 25), protocol="LMTP", meta={"a": 1, "b": 1}),
        reverse_path=NULL,
        forward_path=parse("User@Example.COM"),
        size=3,
        time=5.5,
        nodeid="n",
        meta={"b": 2},
        headers={"Subject": "s"},
    )
    mail = QueuedMail.of(arrival, ("User@Example.COM",), b"x\r\n", verified_sender=True)
    assert (mail.id, mail.reverse_path, mail.time) == ("m1", "", 5.5)
    assert (mail.recipients, mail.content) == (("User@Example.COM",), b"x\r\n")
    assert mail.facts == Facts(
        verified_sender=True,
        reception_protocol="LMTP",
        nodeid="n",
        meta={"a": 1, "b": 2},
        headers={"Subject": "s"},
    )


def test_senders_are_unverified_unless_it_is_said() -> None:
    """Silence makes no mail to strangers."""
    assert not Facts().verified_sender

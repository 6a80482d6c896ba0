"""Mail through a real Postfix to the application, and back."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from tests.postfix.conftest import Mailhouse

KNOWN, STRANGER = "127.0.0.5", "127.0.0.6"
SENDER = "news@send.example.com"
SMTP_SOURCE = shutil.which("smtp-source", path="/usr/sbin:/usr/bin")


def letter(token: str, recipient: str = "carl@far.example") -> bytes:
    """A letter that can be told from others."""
    return make_letter(recipient, SENDER).rstrip() + f"\r\n{token}\r\n".encode()


@pytest.mark.parametrize("port", [587, 25])
def test_a_bounce(mailhouse: Mailhouse, port: int) -> None:
    """By LMTP and before the queue: logged, with the address of Postfix's client."""
    gone = f"gone{port}@nowhere.example"
    reply = mailhouse.send(port, STRANGER, "", "v@bounce.example.com", make_bounce(gone))
    assert reply.startswith("250")
    record = mailhouse.wait_record(type="OOB", recipient=gone)
    assert record["sender"] == "v@bounce.example.com"


def test_a_complaint(mailhouse: Mailhouse) -> None:
    """By domain, after the queue."""
    content = make_complaint("emil@provider.example")
    sent = mailhouse.send(587, STRANGER, "fbl@provider.example", "c@fbl.example.com", content)
    assert sent.startswith("250")
    mailhouse.wait_record(type="Feedback", recipient="c@fbl.example.com")


@pytest.mark.parametrize("port", [587, 25])
def test_relay_from_sees_the_client(mailhouse: Mailhouse, port: int) -> None:
    """XFORWARD: the peer is the client, its sender's domain trusts it; the mail comes out whole."""
    content = letter(f"known-{port}")
    sent = mailhouse.send(port, KNOWN, SENDER, "carl@far.example", content)
    assert sent.startswith("250")
    arrived = mailhouse.wait_delivered(f"known-{port}").replace(b"\n", b"\r\n")
    assert content.rstrip() in arrived
    assert b"Received: from mx.example.com ([127.0.0.5])" in arrived
    protocol = "LMTP" if port == 587 else "ESMTP"
    record = mailhouse.wait_record(type="Reception", sender=SENDER, reception_protocol=protocol)
    assert record["peer_address"]["addr"].startswith(KNOWN)
    mailhouse.wait_record(type="Delivery", sender=SENDER, id=record["id"])


def test_refused_before_the_queue(mailhouse: Mailhouse) -> None:
    """The client hears the application's refusal, at RCPT, and it names the client."""
    reply = mailhouse.send(25, STRANGER, SENDER, "carl@far.example", letter("never"))
    assert reply.startswith(f"550 5.7.1 relaying not permitted for {STRANGER}:")
    assert not [message for message in mailhouse.delivered() if b"never" in message]


def test_one_of_two_recipients_is_refused(mailhouse: Mailhouse) -> None:
    """Before the queue each recipient has its own reply, and the other gets the message."""
    with mailhouse.client(25, STRANGER) as client:
        client.mail("ann@elsewhere.example")
        assert client.rcpt("carl@far.example")[0] == 550
        assert client.rcpt("bob@example.com")[0] == 250
        assert client.data(letter("two-recipients", "bob@example.com"))[0] == 250
    arrived = mailhouse.wait_delivered("two-recipients")
    assert b"Delivered-To: bob@example.com" in arrived


def test_refused_after_the_queue(mailhouse: Mailhouse) -> None:
    """Postfix sends a bounce; where the sender's domain logs bounces, it is a record."""
    sender = "v+refused@bounce.example.com"
    reply = mailhouse.send(587, STRANGER, sender, "carl@far.example", letter("bounced"))
    assert reply.startswith("250")
    refused = mailhouse.wait_record(type="Rejection", sender=sender)
    assert STRANGER in str(refused["peer_address"])
    bounced = mailhouse.wait_record(type="OOB", sender=sender, recipient="carl@far.example")
    assert bounced["response"]["code"] == 550
    assert bounced["peer_address"]["name"] == "mx.example.com"


def test_lmtp_with_several_recipients(mailhouse: Mailhouse) -> None:
    """Each its own reply: Postfix bounces for the refused one, and delivers the other."""
    sender = "v+several@bounce.example.com"
    with mailhouse.client(587, STRANGER) as client:
        content = letter("several", "bob@example.com")
        assert not client.sendmail(sender, ["bob@example.com", "carl@far.example"], content)
    mailhouse.wait_delivered("several")
    bounced = mailhouse.wait_record(type="OOB", sender=sender)
    assert bounced["recipient"] == "carl@far.example"


def test_encrypted(mailhouse: Mailhouse) -> None:
    """Postfix's SMTP client uses our STARTTLS."""
    bounce = make_bounce("tls@nowhere.example")
    assert mailhouse.send(10026, STRANGER, "", "v@tls.example.com", bounce).startswith("250")
    record = mailhouse.wait_record(type="OOB", recipient="tls@nowhere.example")
    assert record["tls_cipher"]


@pytest.mark.skipif(SMTP_SOURCE is None, reason="smtp-source is not installed")
@pytest.mark.parametrize(("port", "lmtp"), [(2025, ()), (2024, ("-L",))])
def test_smtp_source(mailhouse: Mailhouse, port: int, lmtp: tuple[str, ...]) -> None:
    """Postfix's load generator at our listeners: 200 messages over 10 connections."""
    command = [str(SMTP_SOURCE), *lmtp, "-d", "-s", "10", "-m", "200", "-l", "2000"]
    ends = ["-f", f"load{port}@elsewhere.example", "-t", "bob@example.com"]
    place = f"127.0.0.1:{mailhouse.ports[port]}"
    subprocess.run([*command, *ends, place], check=True, timeout=60)

    def logged() -> int:
        received = [each for each in mailhouse.records() if each["type"] == "Reception"]
        return sum(each["sender"] == f"load{port}@elsewhere.example" for each in received)

    mailhouse.wait(lambda: logged() >= 200)  # under load the log is a moment behind the replies
    assert logged() == 200

"""What the sender is told about mail that will not arrive."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kumo_handlers.journal.record import PeerAddress, Record, RecordType, Response
from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.queue.claim import Claim, Entry
from kumo_handlers.queue.notification import notification
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.reports import cascade
from kumo_handlers.reports.report import DSN

if TYPE_CHECKING:
    from kumo_handlers.queue.queued_mail import QueuedMail

NOW = 1704164645.0


def claim(**fields: Any) -> Claim:
    """A message of a verified sender."""
    taken: dict[str, Any] = {
        "message": 1,
        "id": "m1",
        "reverse_path": "a@src.example",
        "content": b"Subject: \xe9t\xe9\r\nMessage-ID: <1@src.example>\r\n\r\nsecret\r\n",
        "created": NOW - 60,
        "facts": Facts(verified_sender=True, nodeid="n"),
        "entries": (Entry("m1", 0, "b@dest.example", "dest.example", 0, 0),),
    }
    return Claim(**(taken | fields))


def failure(recipient: str = "b@dest.example", content: str = "no such user") -> Record:
    """A Bounce record."""
    return Record(
        type=RecordType.BOUNCE,
        id="m1",
        sender="a@src.example",
        recipient=recipient,
        response=Response(550, EnhancedStatusCode(5, 1, 1), content, "RCPT TO:<b>"),
        peer_address=PeerAddress("mx.dest.example", "192.0.2.1"),
        timestamp=int(NOW),
        event_time=NOW,
        created=int(NOW),
        created_time=NOW,
    )


def told(*failures: Record, **fields: Any) -> QueuedMail:
    """The notification, which there is."""
    mail = notification(claim(**fields), failures, "mail.src.example", NOW)
    assert mail is not None
    return mail


def test_from_us_to_the_sender() -> None:
    """The null reverse-path, the sender alone, and its own id."""
    mail = told(failure())
    assert (mail.reverse_path, mail.recipients) == ("", ("a@src.example",))
    assert mail.facts.meta == {"notification_of": "m1"}
    assert mail.id not in ("", "m1")
    assert not mail.facts.verified_sender


def test_our_own_reader_understands_it() -> None:
    """Each recipient, its status and diagnostic come back as they went in."""
    mail = told(failure(), failure("c@dest.example", "full\nreally"))
    read = cascade.read(mail.content, reverse_path="")
    assert isinstance(read, DSN)
    assert read.source == "rfc3464"
    assert str(read.reporting_mta) == "dns; mail.src.example"
    assert [each.recipient for each in read.failures] == ["b@dest.example", "c@dest.example"]
    assert [str(each.status) for each in read.failures] == ["5.1.1", "5.1.1"]
    assert [str(each.diagnostic_code) for each in read.failures] == [
        "smtp; 550 5.1.1 no such user",
        "smtp; 550 5.1.1 full really",
    ]
    assert read.returned.header("Message-ID") == "<1@src.example>"


def test_standard_library_understands_it() -> None:
    """No defect, a subject, an Auto-Submitted field (RFC 3834), the header, and not the body."""
    mail = told(failure())
    read = message_from_bytes(mail.content, policy=policy.default)
    assert [part.defects for part in read.walk()] == [[]] * 6
    assert read["Auto-Submitted"] == "auto-replied"
    assert read.get_content_type() == "multipart/report"
    returned = list(read.iter_parts())[2]
    assert returned.get_payload(decode=True).startswith(b"Subject: \xe9t\xe9")  # type: ignore[union-attr]
    assert b"secret" not in mail.content


def test_ascii_with_crlf_and_no_long_line() -> None:
    """It can go over any server."""
    mail = told(failure(content="x" * 5000 + "\r\n.\r\nMAIL FROM:<>\x00"))
    assert mail.content.isascii()
    lines = mail.content.split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert b"\r\nMAIL" not in mail.content


@pytest.mark.parametrize(
    "fields",
    [
        {"reverse_path": ""},
        {"facts": Facts(verified_sender=False)},
    ],
)
def test_nobody_to_tell(fields: dict[str, Any]) -> None:
    """Not the null sender, and not one that anybody could have written."""
    assert notification(claim(**fields), [failure()], "h", NOW) is None


def test_nothing_to_tell() -> None:
    """No failure, no mail."""
    assert notification(claim(), [], "h", NOW) is None


@pytest.mark.parametrize(
    ("said", "status", "diagnostic"),
    [
        (EnhancedStatusCode(4, 7, 1), "5.7.1", "550 4.7.1 no such user"),
        (EnhancedStatusCode(2, 1, 5), "5.1.5", "550 2.1.5 no such user"),
        (None, "5.0.0", "550 no such user"),
    ],
)
def test_status_of_a_failure(said: EnhancedStatusCode | None, status: str, diagnostic: str) -> None:
    """It says a permanent failure, and the diagnostic what the server said, no more."""
    failed = failure()
    answer = msgspec.structs.replace(failed.response, enhanced_code=said)
    content = told(msgspec.structs.replace(failed, response=answer)).content.decode()
    assert f"\r\nStatus: {status}\r\n" in content
    assert f"\r\nDiagnostic-Code: smtp; {diagnostic}\r\n" in content


def test_no_bare_line_ends() -> None:
    """Those of the returned header are encoded: relays refuse mail with them."""
    content = told(failure(), content=b"Subject: a\rb\nc\rd\r\n\r\n").content
    rest = content.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    assert b"Subject: a=0Db" in content


def test_internationalised_recipient() -> None:
    """RFC 6533, 3: escaped, so that the report itself stays plain."""
    mail = told(failure("\u00e9+x@dest.example"))
    assert rb"Final-Recipient: utf-8; \x{E9}\x{2B}x@dest.example" in mail.content
    assert mail.content.isascii()


def test_internationalised_sender() -> None:
    """It is written to as it is, which needs SMTPUTF8."""
    mail = told(failure(), reverse_path="\u00e9@src.example")
    assert mail.facts.smtputf8
    assert "To: <\u00e9@src.example>\r\n".encode() in mail.content

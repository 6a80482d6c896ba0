"""What the sender is told about mail that will not arrive: a DSN (RFC 3464) from us. Pure.

Only a sender that was allowed to use its address is told, and never the null one: a reverse-path
that anybody could have written would make us send mail to strangers. The notification itself has
the null reverse-path (RFC 5321, 4.5.5), so that none can ever be sent about it.
"""

from __future__ import annotations

import quopri
import re
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from kumo_handlers.mail import octets
from kumo_handlers.queue.queued_mail import Facts, QueuedMail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.journal.record import Record
    from kumo_handlers.mail.reply import EnhancedStatusCode
    from kumo_handlers.queue.claim import Claim

_MAX_HEADERS = 16_384  # of the returned message: enough to recognise it by
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_NOT_XTEXT = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]")
_WIDTH = 900  # RFC 5322, 2.1.1: a line has at most 998 characters

_MESSAGE = """\
From: Mail Delivery System <MAILER-DAEMON@{host}>
To: <{sender}>
Subject: Undelivered mail returned to sender
Date: {date}
Message-ID: <{id}@{host}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset=us-ascii

This is the mail system at {host}.

Your message could not be delivered to the addresses below. It will not be
tried again.

{reasons}

--{boundary}
Content-Type: message/delivery-status

{status}

--{boundary}
Content-Type: text/rfc822-headers; charset=utf-8
Content-Transfer-Encoding: quoted-printable

"""


def notification(
    claim: Claim, failures: Sequence[Record], hostname: str, now: float
) -> QueuedMail | None:
    """The mail that tells the sender of ``failures``, or None where nobody is to be told.

    ``failures`` are `Bounce` and `Expiration` records of the claim's recipients.
    """
    if not failures or not claim.reverse_path or not claim.facts.verified_sender:
        return None
    name = uuid.uuid4().hex
    text = _MESSAGE.format(
        host=hostname,
        sender=claim.reverse_path,
        date=_date(now),
        id=name,
        boundary=f"={name}",
        reasons="\n".join(_reason(each) for each in failures),
        status="\n\n".join([_about_message(claim, hostname), *map(_about, failures)]),
    )
    content = octets.of_text(text.replace("\n", "\r\n"))
    content += _headers(claim.content) + f"\r\n--={name}--\r\n".encode()
    return QueuedMail(
        id=name,
        reverse_path="",
        recipients=(claim.reverse_path,),
        content=content,
        time=now,
        facts=Facts(
            smtputf8=not claim.reverse_path.isascii(),
            nodeid=claim.facts.nodeid,
            meta={"notification_of": claim.id},
        ),
    )


def _reason(record: Record) -> str:
    answer = record.response
    return f"<{_ascii(record.recipient)}>: {answer.code} {_ascii(answer.content)}"


def _about_message(claim: Claim, hostname: str) -> str:
    """RFC 3464, 2.2."""
    return f"Reporting-MTA: dns; {hostname}\nArrival-Date: {_date(claim.created)}"


def _about(record: Record) -> str:
    """One recipient's group (RFC 3464, 2.3)."""
    answer = record.response
    lines = [
        f"Final-Recipient: {_typed(record.recipient)}",
        "Action: failed",
        f"Status: {_status(answer.enhanced_code)}",
    ]
    if record.peer_address is not None and answer.command:
        said = f"{answer.enhanced_code} " if answer.enhanced_code else ""
        lines.append(f"Remote-MTA: dns; {_ascii(record.peer_address.name)}")
        lines.append(f"Diagnostic-Code: smtp; {answer.code} {said}{_ascii(answer.content)}")
    else:
        lines.append(f"Diagnostic-Code: x-kumo-handlers; {_ascii(answer.content)}")
    lines.append(f"Last-Attempt-Date: {_date(record.event_time)}")
    return "\n".join(lines)


def _status(said: EnhancedStatusCode | None) -> str:
    """Of a permanent failure (RFC 3463, 3.1), whatever class a server put beside its 5xx."""
    return "5.0.0" if said is None else f"5.{said.subject}.{said.detail}"


def _typed(address: str) -> str:
    """The address and its type; an internationalised one escaped (RFC 6533, 3)."""
    if address.isascii():
        return f"rfc822; {_ascii(address)}"
    return "utf-8; " + _NOT_XTEXT.sub(lambda found: f"\\x{{{ord(found[0]):X}}}", address)


def _headers(content: bytes) -> bytes:
    """The header block of the message that failed, without a line cut in two."""
    block = content.partition(b"\r\n\r\n")[0][:_MAX_HEADERS] + b"\r\n"
    encoded = quopri.encodestring(block.replace(b"\r\n", b"\n"))
    # QUIRK: a bare CR is left as it is, and no relay has to take one
    return encoded.replace(b"\r", b"=0D").replace(b"\n", b"\r\n")


def _ascii(text: str) -> str:
    """What somebody else wrote, on one line and in plain characters."""
    return _UNPRINTABLE.sub(" ", text)[:_WIDTH]


def _date(moment: float) -> str:
    return format_datetime(datetime.fromtimestamp(moment, UTC))

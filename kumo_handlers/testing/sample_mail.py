"""Mail for the tests of an app: letters, bounces and complaints, made for an address."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import formatdate, make_msgid


def make_letter(recipient: str, sender: str = "ann@elsewhere.example") -> bytes:
    """An ordinary message, CRLF line ends."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    letter["To"] = recipient
    letter["Subject"] = "A letter"
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain="elsewhere.example")
    letter.set_content("Good morning,\n\nthis is a letter.\n")
    return letter.as_bytes()


def make_bounce(
    recipient: str,
    *,
    status: str = "5.1.1",
    diagnostic: str = "550 5.1.1 No such user here",
    action: str = "failed",
    original: bytes | None = None,
) -> bytes:
    """A delivery status notification (RFC 3464) about mail that was sent to ``recipient``.

    ``original`` is the message that is returned; a letter to the recipient if it is not given.
    """
    fields = (
        ("Reporting-MTA", "dns; mx.nowhere.example"),
        ("Arrival-Date", formatdate()),
        None,
        ("Final-Recipient", f"rfc822; {recipient}"),
        ("Action", action),
        ("Status", status),
        ("Diagnostic-Code", f"smtp; {diagnostic}"),
    )
    return _report(
        "delivery-status",
        f"Your message to {recipient} was not delivered: {diagnostic}\n",
        fields,
        original or make_letter(recipient),
        "Mail Delivery System <MAILER-DAEMON@mx.nowhere.example>",
    )


def make_complaint(
    recipient: str,
    *,
    feedback_type: str = "abuse",
    original_mail_from: str = "news@send.example.com",
    original: bytes | None = None,
) -> bytes:
    """A feedback report (RFC 5965): ``recipient`` complains about mail it was sent."""
    fields = (
        ("Feedback-Type", feedback_type),
        ("User-Agent", "Provider-FBL/1.0"),
        ("Version", "1"),
        ("Original-Mail-From", f"<{original_mail_from}>"),
        ("Original-Rcpt-To", f"<{recipient}>"),
        ("Arrival-Date", formatdate()),
        ("Source-IP", "192.0.2.25"),
    )
    return _report(
        "feedback-report",
        "This is a report about mail that one of our users complained about.\n",
        fields,
        original or make_letter(recipient, original_mail_from),
        "Feedback Loop <fbl@provider.example>",
    )


def _report(
    kind: str,
    text: str,
    fields: tuple[tuple[str, str] | None, ...],
    original: bytes,
    author: str,
) -> bytes:
    """A ``multipart/report`` (RFC 6522): for people, for machines, and what it is about.

    None among ``fields`` begins a new group of them.
    """
    report = MIMEMultipart("report", policy=SMTP, report_type=kind)
    report["From"] = author
    report["Subject"] = "Report"
    report["Date"] = formatdate()
    report["Message-ID"] = make_msgid(domain="mx.nowhere.example")
    report.attach(MIMEText(text, policy=SMTP))
    machine = MIMEBase("message", kind, policy=SMTP)
    group = Message(policy=SMTP)
    groups: list[Message | str] = [group]
    for field in fields:
        if field is None:
            groups.append(group := Message(policy=SMTP))
        else:
            group[field[0]] = field[1]
    machine.set_payload(groups)
    report.attach(machine)
    returned = MIMEMessage(message_from_bytes(original), policy=SMTP)
    report.attach(returned)
    return report.as_bytes()

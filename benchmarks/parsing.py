"""From bytes to a record: ours, Salmon's, the standard library's, flufl.bounce's."""

from __future__ import annotations

import json
from email import message_from_bytes

from flufl.bounce import scan_message
from salmon.mail import MailRequest

import kumo_handlers
from benchmarks.measure import measure, show
from kumo_handlers.reports import cascade
from kumo_handlers.testing import make_bounce, make_complaint, make_letter


def main() -> None:
    """Print the tables."""
    for name, content in (
        ("a DSN", make_bounce("gone@nowhere.example")),
        ("a feedback report", make_complaint("emil@provider.example")),
    ):
        cases = {
            "bytes to record JSON": lambda content=content: to_json(content),
            "email.message_from_bytes, walked": lambda content=content: walk(content),
            "MailRequest and is_bounce": lambda content=content: salmon(content),
            "flufl.bounce": lambda content=content: scan_message(message_from_bytes(content)),
        }
        show(f"{name}, {len(content)} bytes", measure(cases))
    line = b"a line of an ordinary letter, and no more.\r\n"
    large = make_letter("bob@example.com") + line * 1150
    cases = {
        "refused by the cascade": lambda: cascade.read(large, reverse_path="a@b.example"),
        "email.message_from_bytes, walked": lambda: walk(large),
        "MailRequest": lambda: MailRequest(("192.0.2.1", 25), "a@b.example", "c@d.example", large),
    }
    show(f"an ordinary message, {len(large)} bytes", measure(cases))


def to_json(content: bytes) -> str:
    """What the log gets."""
    return json.dumps(kumo_handlers.parse_report(content))


def walk(content: bytes) -> list[str]:
    """The least that a reader by the standard library does."""
    return [part.get_content_type() for part in message_from_bytes(content).walk()]


def salmon(content: bytes) -> bool:
    """What a Salmon handler does."""
    return bool(MailRequest(("192.0.2.1", 25), "a@b.example", "c@d.example", content).is_bounce())

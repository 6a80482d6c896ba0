"""From bytes to a record: ours, Salmon's, the standard library's, flufl.bounce's."""

from __future__ import annotations

from email import message_from_bytes
from itertools import cycle
from typing import TYPE_CHECKING

from flufl.bounce import scan_message
from salmon.mail import MailRequest

from benchmarks.measure import measure, show
from kumo_handlers.journal import parsing
from kumo_handlers.journal.record import encode
from kumo_handlers.reports import cascade
from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = range(1500)


def main() -> None:
    """Print the tables."""
    for name, contents in (
        # More replies than the classifier remembers: none is read out of its memory.
        ("a DSN", [make_bounce(f"gone{n}@nowhere.example", diagnostic=reply(n)) for n in MANY]),
        ("a feedback report", [make_complaint(f"emil{n}@provider.example") for n in MANY]),
    ):
        cases = {
            "bytes to record JSON": reading(to_json, contents),
            "email.message_from_bytes, walked": reading(walk, contents),
            "MailRequest and is_bounce": reading(salmon, contents),
            "flufl.bounce": reading(flufl, contents),
        }
        show(f"{name}, {len(contents[0])} bytes", measure(cases))
    line = b"a line of an ordinary letter, and no more.\r\n"
    large = make_letter("bob@example.com") + line * 1150
    cases = {
        "refused by the cascade": lambda: cascade.read(large, reverse_path="a@b.example"),
        "email.message_from_bytes, walked": lambda: walk(large),
        "MailRequest": lambda: MailRequest(("192.0.2.1", 25), "a@b.example", "c@d.example", large),
    }
    show(f"an ordinary message, {len(large)} bytes", measure(cases))


def reading(read: Callable[[bytes], object], contents: list[bytes]) -> Callable[[], object]:
    """Read one message after the other: nobody reads the same one twice in a row."""
    following = cycle(contents)
    return lambda: read(next(following))


def reply(number: int) -> str:
    """A server's reply that stands in no other report."""
    return f"550 5.1.1 gone{number}@nowhere.example: no such user here (t{number}.17)"


def to_json(content: bytes) -> list[bytes]:
    """What the log gets."""
    return [encode(record) for record in parsing.read(content)]


def walk(content: bytes) -> list[str]:
    """The least that a reader by the standard library does."""
    return [part.get_content_type() for part in message_from_bytes(content).walk()]


def salmon(content: bytes) -> bool:
    """What a Salmon handler does."""
    return bool(MailRequest(("192.0.2.1", 25), "a@b.example", "c@d.example", content).is_bounce())


def flufl(content: bytes) -> object:
    """The recipients, by the reader that Mailman uses."""
    return scan_message(message_from_bytes(content))

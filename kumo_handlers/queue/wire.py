"""What the processes of one installation say to each other: MessagePack in frames.

A frame is its length, in four bytes, the most significant first, and that many bytes. The socket
is a pair made before the fork: nobody else can have an end of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.journal.record import encode_json
from kumo_handlers.mail import octets
from kumo_handlers.queue.kept import KeptMail
from kumo_handlers.queue.queued_mail import Facts, QueuedMail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.queue.unit import Job

_LENGTH = 4


class Posted(msgspec.Struct, frozen=True, array_like=True):
    """A `QueuedMail` on its way. MessagePack's strings are UTF-8; an address need not be."""

    id: str
    reverse_path: bytes
    recipients: list[bytes]
    content: bytes
    time: float
    facts: bytes

    @classmethod
    def of(cls, mail: QueuedMail) -> Posted:
        """The mail, to be sent."""
        return cls(
            mail.id,
            octets.of_text(mail.reverse_path),
            [octets.of_text(address) for address in mail.recipients],
            mail.content,
            mail.time,
            encode_json(mail.facts),
        )

    def mail(self) -> QueuedMail:
        """The mail, received."""
        return QueuedMail(
            id=self.id,
            reverse_path=octets.to_text(self.reverse_path),
            recipients=tuple([octets.to_text(address) for address in self.recipients]),
            content=self.content,
            time=self.time,
            facts=msgspec.json.decode(self.facts, type=Facts),
        )


class Order(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A unit to commit, under a number for the answer."""

    number: int
    lines: list[bytes]
    keys: list[str | None]
    mails: list[Posted]
    kept: list[KeptMail]

    @classmethod
    def of(cls, number: int, job: Job) -> Order:
        """What is to be committed of a job. Entries of the queue are finished where it is."""
        unit = job.unit
        mails = [Posted.of(mail) for mail in unit.mails]
        return cls(number, list(job.lines), list(job.keys), mails, list(unit.kept))


class Answer(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """What became of an order: ``error`` is the name of its class, or ``""``."""

    number: int
    error: str = ""
    text: str = ""


class Word(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """What is not about units, encoded by who says it."""

    content: bytes


Said = Order | Answer | Word
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Said)


def frame(said: Said) -> bytes:
    """The frame that says it."""
    content = _encoder.encode(said)
    return len(content).to_bytes(_LENGTH) + content


class Frames:
    """What came in, taken apart."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, received: bytes) -> Iterator[Said]:
        """Everything that is whole by now."""
        rest = self._rest
        rest += received
        start, end = 0, len(rest)
        while end - start >= _LENGTH:
            behind = start + _LENGTH + int.from_bytes(rest[start : start + _LENGTH])
            if behind > end:
                break
            yield _decoder.decode(bytes(rest[start + _LENGTH : behind]))
            start = behind
        del rest[:start]

"""Clients that send mail until nobody answers, and remember exactly what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

_RELAYED = "Subject: {name}\r\nX-Name: {name}\r\n\r\nhello\r\n.dot\r\n"
_BOUNCE = (
    "From: MAILER-DAEMON@mx.example\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    "Reporting-MTA: dns; mx.example\r\nOriginal-Envelope-Id: {name}\r\n\r\n"
    "Final-Recipient: rfc822; {name}@dest.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n--b\r\n"
    "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nMessage-ID: <{name}@src.example>\r\n\r\n"
    "--b--\r\n"
)
_UNREADABLE = (
    "From: MAILER-DAEMON@mx.example\r\nSubject: {name}\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\n\r\n--b--\r\n"
)


@dataclass
class Mail:
    """One message: its name stands in its envelope, and so in its records."""

    name: str
    kind: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def is_report(self) -> bool:
        """Whether it may come again, and is one nevertheless."""
        return self.kind in ("bounce", "complaint")


@dataclass
class Load:
    """What was sent, and what was acknowledged, over all rounds.

    Each session sends a message every ``pace`` seconds, or as fast as it can, until ``is_over``.
    """

    pace: float = 0.0
    is_over: bool = False

    sent: dict[str, Mail] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    unanswered: list[Mail] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def run(self, port: int, sessions: int = 6) -> None:
        """Send, until every session is broken off."""
        await asyncio.gather(*(self._session(port) for _ in range(sessions)))

    async def run_on(self, port: int, sessions: int) -> None:
        """Send, until it ``is_over``; a session that the listener ends is followed by another."""

        async def stay() -> None:
            while not self.is_over:
                await self._session(port)

        await asyncio.gather(*(stay() for _ in range(sessions)))

    def _next(self) -> Mail:
        """A report that was not answered is sent again, as its sender would."""
        if self.unanswered and random.random() < 0.5:  # noqa: S311 - no secret
            return self.unanswered.pop()
        mail = self._make(next(self._numbers))
        self.sent[mail.name] = mail
        return mail

    def _make(self, number: int) -> Mail:
        return _make(number)

    async def _session(self, port: int) -> None:
        with suppress(OSError, EOFError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with suppress(OSError, EOFError):
                await _reply(reader)
                await _say(reader, writer, b"EHLO client.example\r\n")
                while await self._send(reader, writer, self._next()) and not self.is_over:  # noqa: ASYNC110 - a pace, not a wait
                    await asyncio.sleep(self.pace)
            writer.close()

    async def _send(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mail: Mail
    ) -> bool:
        code = 0
        try:
            await _say(reader, writer, f"MAIL FROM:<{mail.sender}>\r\n".encode())
            for recipient in mail.recipients:
                await _say(reader, writer, f"RCPT TO:<{recipient}>\r\n".encode())
            await _say(reader, writer, b"DATA\r\n")
            content = mail.content.replace(b"\r\n.", b"\r\n..")
            code = await _say(reader, writer, content + b".\r\n")
        finally:
            if code == 250:
                self.acknowledged.add(mail.name)
            elif mail.is_report:
                self.unanswered.append(mail)
            if code not in (0, 250):
                self.refused[code] += 1
        return code == 250


def _make(number: int) -> Mail:
    name = f"m{number}"
    if number % 4 == 0:
        return Mail(
            name, "bounce", "", (f"{name}@oob.example",), _BOUNCE.format(name=name).encode()
        )
    if number % 16 == 1:
        content = _UNREADABLE.format(name=name).encode()
        return Mail(name, "unreadable", "", (f"{name}@kept.example",), content)
    recipients = tuple(f"{name}.{each}@relay.example" for each in range(1 + number % 3))
    content = _RELAYED.format(name=name).encode()
    return Mail(name, "relayed", f"{name}@src.example", recipients, content)


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: bytes) -> int:
    writer.write(octets)
    return await _reply(reader)


async def _reply(reader: asyncio.StreamReader) -> int:
    while line := await reader.readline():
        if line[3:4] == b" ":
            return int(line[:3])
    raise EOFError

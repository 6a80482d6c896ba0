"""SMTP clients, in a process of their own: ``python -m benchmarks.load '{"port": 2025}'``.

Each session says a command when the reply to the one before is there or, pipelined, MAIL, RCPT
and DATA in one go (RFC 2920). It knows no more of SMTP than that, so that it is never what is
measured: with `smtp-sink` it reaches what Postfix's own `smtp-source` does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from statistics import quantiles

import msgspec

from kumo_handlers.testing import make_bounce, make_letter

WARM = 0.25  # seconds that are not counted
PATIENCE = 2.0  # how long after the end somebody may still be served
LETTER = make_letter("bob@example.com") + b"a line of an ordinary letter\r\n" * 60
NUMBER = b"00000000"
_ONE_REPLY = re.compile(rb"[23]\d\d [^\n]*\r\n\Z").match
BOUNCE = make_bounce(f"gone-{NUMBER.decode()}@nowhere.example")


class Load(msgspec.Struct, frozen=True):
    """What is asked for. ``bounces`` are all different, as real ones are: none is a repetition."""

    port: int
    sessions: int = 20
    seconds: float = 1.0
    pipelined: bool = False
    persistent: bool = True
    bounces: bool = False


class Measured(msgspec.Struct, frozen=True):
    """What came: messages a second, milliseconds a message, sessions that got nothing done."""

    rate: float
    p50: float
    p99: float
    hung: int


class Round:
    """The state that all sessions share."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.start = time.perf_counter() + WARM
        self.end = self.start + load.seconds
        self.times: list[float] = []
        self.open: set[asyncio.Future[None]] = set()
        self.served: set[int] = set()
        self.number = 0
        sender, recipient = (
            (b"", b"v@bounce.example.com")
            if load.bounces
            else (b"ann@elsewhere.example", b"bob@example.com")
        )
        self.commands = [
            b"MAIL FROM:<" + sender + b">\r\n",
            b"RCPT TO:<" + recipient + b">\r\n",
            b"DATA\r\n",
        ]
        self.content = (BOUNCE if load.bounces else LETTER).split(NUMBER)

    def message(self) -> list[tuple[bytes, int]]:
        """What a client says for one message, and how many replies it waits for each time."""
        self.number += 1
        content = b"%08d" % self.number
        last = (content.join(self.content) + b".\r\n", 1)
        if self.load.pipelined:
            return [last, (b"".join(self.commands), 3)]
        return [last, *((command, 1) for command in reversed(self.commands))]

    def done(self, session: int, began: float) -> None:
        """A message was accepted."""
        now = time.perf_counter()
        self.served.add(session)
        if self.start <= now <= self.end:
            self.times.append(now - began)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, shared: Round, session: int) -> None:
        self.shared = shared
        self.session = session
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.began = time.perf_counter()
        self.awaited = 1
        self.to_say: list[tuple[bytes, int]] = [(b"EHLO client.example\r\n", 1)]
        self.in_message = self.is_leaving = False
        self.rest = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The greeting comes first."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count replies; when all are there, say what is next."""
        if self.awaited == 1 and not self.rest and _ONE_REPLY(data):
            self._go_on()
            return
        *lines, self.rest = (self.rest + data).split(b"\r\n")
        for line in lines:
            if line[3:4] != b"-":
                self.awaited -= 1
                if line[:1] not in b"23":
                    print(f"answered {line.decode()}", file=sys.stderr)
                    self.transport.abort()
                    return
        if self.awaited == 0:
            self._go_on()

    def _go_on(self) -> None:
        if not self.to_say and not self._begin():
            if self.is_leaving:
                self.transport.close()
                return
            self.is_leaving = True
            self.to_say = [(b"QUIT\r\n", 1)]
        line, self.awaited = self.to_say.pop()
        self.transport.write(line)

    def _begin(self) -> bool:
        """The next message, if there is one."""
        shared = self.shared
        if self.is_leaving:
            return False
        if self.in_message:
            shared.done(self.session, self.began)
            self.began = time.perf_counter()
            if not shared.load.persistent or self.began > shared.end:
                return False
        self.in_message = True
        self.to_say = shared.message()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits for the end may go on."""
        del error
        if not self.closed.done():
            self.closed.set_result(None)


async def session(shared: Round, number: int) -> None:
    """One client: one connection, or one after the other."""
    loop = asyncio.get_running_loop()
    while time.perf_counter() < shared.end:
        _, client = await loop.create_connection(
            lambda: Client(shared, number), "127.0.0.1", shared.load.port
        )
        await client.closed


async def run(load: Load) -> Measured:
    """All sessions, for the time that was asked for."""
    shared = Round(load)
    sessions = [asyncio.create_task(session(shared, n)) for n in range(load.sessions)]
    _, late = await asyncio.wait(sessions, timeout=WARM + load.seconds + PATIENCE)
    for each in late:
        each.cancel()
    times = shared.times
    cuts = quantiles(times, n=100) if len(times) > 1 else [float("nan")] * 99
    hung = load.sessions - len(shared.served)
    return Measured(len(times) / load.seconds, cuts[49] * 1e3, cuts[98] * 1e3, hung)


def main() -> None:
    """Print what was measured, as JSON."""
    try:
        from uvloop import run as run_loop  # noqa: PLC0415 - an extra
    except ImportError:
        run_loop = asyncio.run
    measured = run_loop(run(msgspec.json.decode(sys.argv[1], type=Load)))
    print(msgspec.json.encode(measured).decode())


if __name__ == "__main__":
    main()

"""Rules are swapped while mail comes in: nobody is refused, and no decision is a mix of two.

    python tests/crash/reload.py --swaps 1000

Two sets of rules contradict each other about each of three domains. Every transaction asks about
all three, with swaps between its commands: by its replies it was decided by one set, and the
version in each of its records has to be that set's. Files are swapped by rename. Every second
swap is left to the app to notice, the others are told by SIGHUP; before each fifth one a file
with errors is put in the place, and has to change nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
from child import Round, settings

from kumo_handlers.policy import tables

SESSIONS = 6
TRANSACTIONS = 5  # to a connection
BAD_EACH = 5
IN_FORCE = 1.0  # seconds after a change
DOMAINS = ("a.example", "b.example", "c.example")
# What each set says to the three, and the rules that say so.
ANSWERS = {"first": (250, 250, 550), "second": (550, 550, 250)}
BAD = ('["a.example"\n', '["c.example"]\nrelay_too = true\n', '["c.example"]\nrelay_to = "yes"\n')


def rules(name: str) -> str:
    """The file of one set."""
    accepted = zip(DOMAINS, ANSWERS[name], strict=True)
    return "".join(
        f'["{domain}"]\nrelay_to = {str(code == 250).lower()}\n' for domain, code in accepted
    )


@dataclass
class Traffic:
    """Clients that ask about all domains until ``is_over``; what they were answered."""

    port: int
    is_over: bool = False
    swaps: int = 0
    connections: int = 0
    refused: int = 0
    across: int = 0
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def run(self) -> None:
        """One client."""
        while not self.is_over:
            try:
                await self._session()
            except (OSError, EOFError):
                self.refused += 1

    async def ask(self) -> tuple[int, ...]:
        """What one transaction on a connection of its own is answered."""
        client = await Client.connect(self.port)
        self.connections += 1
        answers = await self._transaction(client, 0.0)
        await client.close()
        return answers

    async def _session(self) -> None:
        client = await Client.connect(self.port)
        self.connections += 1
        for _ in range(TRANSACTIONS):
            await self._transaction(client, random.uniform(0.0, 0.02))  # noqa: S311 - no secret
        await client.close()

    async def _transaction(self, client: Client, pause: float) -> tuple[int, ...]:
        name = f"t{next(self._numbers)}"
        await client.say(f"MAIL FROM:<{name}@src.example>", 250)
        before = self.swaps
        codes = []
        for domain in DOMAINS:
            await asyncio.sleep(pause)
            codes.append(await client.say(f"RCPT TO:<{name}@{domain}>", 250, 550))
        self.across += self.swaps > before
        if 250 in codes:
            await client.say("DATA", 354)
            await client.say("Subject: x\r\n\r\nx\r\n.", 250)
        self.answers[name] = tuple(codes)
        return tuple(codes)


@dataclass
class Client:
    """A connection that was greeted."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int) -> Client:
        """Raises OSError where the app does not take the connection."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        await client.reply(220)
        await client.say("EHLO client.example", 250)
        return client

    async def say(self, command: str, *codes: int) -> int:
        """The code of the reply, which is one of these."""
        self.writer.write(f"{command}\r\n".encode())
        return await self.reply(*codes)

    async def reply(self, *codes: int) -> int:
        """Raises OSError for any other code, and where there is no reply."""
        while (line := await asyncio.wait_for(self.reader.readline(), 10))[3:4] == b"-":
            pass
        if not line or int(line[:3]) not in codes:
            raise ConnectionError(f"{line!r}, not one of {codes}")
        return int(line[:3])

    async def close(self) -> None:
        """Say so, and go."""
        await self.say("QUIT", 221)
        self.writer.close()


@dataclass
class Swaps:
    """The file of rules, exchanged again and again; how long each took to be in force."""

    file: Path
    pid: int
    traffic: Traffic
    each: int
    noticed: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    bad: int = 0
    bad_in_force: int = 0
    never: int = 0

    def put(self, text: str) -> None:
        """A new file in the place of the old one, at once."""
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(text)
        unfinished.rename(self.file)

    async def run(self, count: int) -> None:
        """So many swaps."""
        names = itertools.cycle(("second", "first"))
        for number, name in zip(range(1, count + 1), names, strict=False):
            if number % BAD_EACH == 0:
                await self._put_bad(ANSWERS["first" if name == "second" else "second"])
            await self._swap(name, is_told=number % self.each != 0)

    async def _swap(self, name: str, *, is_told: bool) -> None:
        self.put(rules(name))
        begun = time.monotonic()
        if is_told:
            os.kill(self.pid, signal.SIGHUP)
        while await self.traffic.ask() != ANSWERS[name]:
            if time.monotonic() > begun + 10:
                self.never += 1
                return
        self.traffic.swaps += 1
        (self.told if is_told else self.noticed).append(time.monotonic() - begun)

    async def _put_bad(self, in_force: tuple[int, ...]) -> None:
        self.put(BAD[self.bad % len(BAD)])
        self.bad += 1
        os.kill(self.pid, signal.SIGHUP)
        for _ in range(5):
            self.bad_in_force += await self.traffic.ask() != in_force
            await asyncio.sleep(0.005)


def judge(run_dir: Path, traffic: Traffic, versions: dict[tuple[int, ...], str]) -> dict[str, int]:
    """What must not be, counted."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in (run_dir / "log").glob("*.jsonl"):
        for record in map(json.loads, path.read_text().splitlines()):
            found[record["sender"].partition("@")[0]].append(record)
    disagreeing = missing = 0
    for name, codes in traffic.answers.items():
        said = {each["recipient"].partition("@")[2]: each for each in found[name]}
        missing += len(found[name]) != len(codes) or set(said) != set(DOMAINS)
        for domain, code in zip(DOMAINS, codes, strict=True):
            record = said.get(domain, {"response": {"code": code}, "meta": {}})
            agrees = record["meta"].get("policy") == versions.get(codes)
            disagreeing += not agrees or record["response"]["code"] != code
    return {
        "connections refused, or broken off": traffic.refused,
        "transactions decided by a mix": sum(a not in versions for a in traffic.answers.values()),
        "records of another version than the decision": disagreeing,
        "transactions without a record for each recipient": missing,
    }


async def swap_under_load(life: Round, file: Path, count: int, each: int) -> tuple[Swaps, Traffic]:
    """The traffic, and the swaps meanwhile."""
    traffic = Traffic(life.port)
    swaps = Swaps(file, life.pid, traffic, each)
    clients = [asyncio.ensure_future(traffic.run()) for _ in range(SESSIONS)]
    await swaps.run(count)
    traffic.is_over = True
    await asyncio.gather(*clients)
    return swaps, traffic


def tell(swaps: Swaps, traffic: Traffic) -> None:
    """What was done."""
    click.echo(f"{len(traffic.answers):8} transactions, {traffic.connections} connections")
    click.echo(f"{traffic.across:8} of them had a swap under way between MAIL and the last RCPT")
    for how, times in (("by SIGHUP", swaps.told), ("noticed by the app", swaps.noticed)):
        slowest, middle = max(times, default=0.0), median(times or [0.0])
        click.echo(
            f"{len(times):8} swaps {how}, in force after {middle * 1000:.0f} ms in the median,"
            f" {slowest * 1000:.0f} ms at most"
        )
    click.echo(f"{swaps.bad:8} files with errors between them")


@click.command()
@click.option("--swaps", "count", default=1000, show_default=True, help="How many.")
@click.option("--each", default=2, show_default=True, help="Each so many is not told by SIGHUP.")
def main(count: int, each: int) -> None:
    """Swap rules under load, and look for refused clients and mixed decisions."""
    folder = Path(tempfile.mkdtemp(prefix="reload-"))
    run_dir, file = folder / "run", folder / "rules.toml"
    run_dir.mkdir()
    versions = {}
    for name in ("second", "first"):
        file.write_text(rules(name))
        versions[ANSWERS[name]] = tables.load([str(file)]).version
    app = settings(run_dir, 0, 16 << 20)
    app.listener_domains, app.relay = [str(file)], None
    life = Round(run_dir, app, None)
    try:
        swaps, traffic = asyncio.run(swap_under_load(life, file, count, each))
        life.stop()
        status = life.end()
    finally:
        life.kill()
    tell(swaps, traffic)
    late = sum(each >= IN_FORCE for each in swaps.told + swaps.noticed)
    faults = judge(run_dir, traffic, versions) | {
        "swaps in force after a second or later": late + swaps.never,
        "decisions by a file with errors": swaps.bad_in_force,
    }
    for what, figure in faults.items():
        click.echo(f"{figure:8} {what}")
    if status or not traffic.across or any(faults.values()):
        raise click.ClickException(f"see {folder}; the app ended with {status}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

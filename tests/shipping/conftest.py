"""A log to ship, written as the sink writes it, and a destination that does as it is told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.journal.segment import name_of
from tests import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kumo_handlers.shipping.parcel import Parcel

NOON = 1_700_000_000.0


def line(number: int, **fields: Any) -> bytes:
    """A record's line, told by its number."""
    record = {
        "type": "Delivery",
        "id": f"id{number}",
        "sender": "ann@src.example",
        "recipient": f"r{number}@dest.example",
        "event_time": NOON + number,
        "created_time": NOON + number,
        "response": {"code": 250},
        "nodeid": "node",
    }
    return json.dumps(record | fields).encode()


class Log:
    """A run folder with a log in it."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.folder = run_dir / "log"
        self.folder.mkdir(parents=True)
        (run_dir / "ship").mkdir()
        self._begun = 0
        self.begin()

    def begin(self) -> Path:
        """A new segment."""
        self._begun += 1
        self.segment = self.folder / name_of(NOON + self._begun)
        self.segment.touch()
        return self.segment

    def write(self, *lines: bytes, end: bytes = b"\n") -> None:
        """Append whole lines; with another ``end``, something that is not whole yet."""
        with self.segment.open("ab") as file:
            file.write(b"".join(each + end for each in lines))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """An empty log."""
    return Log(tmp_path / "run")


async def until(condition: Callable[[], object]) -> None:
    """Wait for what happens elsewhere, while the event loop goes on."""
    await asyncio.to_thread(waiting.until, condition)


class Scripted:
    """A destination that raises what it is told, each thing once, and else takes all."""

    def __init__(self, *script: BaseException | None) -> None:
        self.script = list(script)
        self.arrived: list[bytes] = []
        self.sizes: list[int] = []
        self.closed = 0

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """As the script says."""
        self.sizes.append(len(parcels))
        if self.script and (error := self.script.pop(0)) is not None:
            raise error
        self.arrived += [parcel.line for parcel in parcels]

    async def close(self) -> None:
        """Counted."""
        self.closed += 1

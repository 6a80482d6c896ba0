"""A shipper and a destination that fails in every way: nothing missing, first arrivals in order."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumo_handlers.journal.selection import Selection
from kumo_handlers.service import parse
from kumo_handlers.shipping import refusals, state
from kumo_handlers.shipping.destination import RefusedError, UnavailableError
from kumo_handlers.shipping.patience import Patience
from kumo_handlers.shipping.refusals import Refusal
from kumo_handlers.shipping.shipment import Shipment
from kumo_handlers.shipping.shipper import Shipper

from .conftest import Log, Scripted, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.shipping.parcel import Parcel

NO_PATIENCE = 1e-9
URL = parse("https://ann:hush@dest.example/", frozenset({"https"}))


def shipment(selection: Selection = Selection(), timeout: float = 5) -> Shipment:  # noqa: B008 - frozen
    """One with the name ``there``."""
    return Shipment(url=URL, name="there", selection=selection, timeout=timeout)


def ship(log: Log, destination: Scripted, wanted: Shipment | None = None) -> state.State:
    """All there is, until nothing is left; the state afterwards."""
    shipper = Shipper(log.run_dir, wanted or shipment(), destination, Patience(NO_PATIENCE, 0.0))
    asyncio.run(shipper.run(drain=True))
    return state.load(log.run_dir / "ship", "there")


def refused(log: Log) -> list[Refusal]:
    """What was kept aside."""
    path = refusals.path_of(log.run_dir / "ship", "there")
    return msgspec.json.Decoder(Refusal).decode_lines(path.read_bytes()) if path.exists() else []


def test_all_of_it_once(log: Log) -> None:
    """And a second start sends nothing again."""
    log.write(*map(line, range(1200)))
    destination = Scripted()
    found = ship(log, destination)
    assert destination.arrived == [*map(line, range(1200))]
    assert max(destination.sizes) <= 500
    assert (found.shipped, found.behind, found.error) == (1200, 0, "")
    again = Scripted()
    ship(log, again)
    assert again.arrived == []


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(frozenset({"OOB"})), [1]),
        (Selection(domains=("dest.example",)), [0, 1]),
        (Selection(domains=("*.dest.example",)), [2]),
    ],
)
def test_only_what_is_wanted(log: Log, selection: Selection, expected: list[int]) -> None:
    """By type and by domain; the place goes on behind what is not."""
    lines = [line(0), line(1, type="OOB"), line(2, recipient="a@sub.dest.example")]
    log.write(*lines)
    destination = Scripted()
    found = ship(log, destination, shipment(selection))
    assert destination.arrived == [lines[number] for number in expected]
    assert found.place.line == 3


def test_what_it_cannot_take_now_is_tried_again(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever was raised; the reason is said once, and without a secret."""
    log.write(line(1))
    errors = [UnavailableError("no: hush"), UnavailableError("no: hush"), OSError("gone")]
    destination = Scripted(*errors)
    found = ship(log, destination)
    assert destination.arrived == [line(1)]
    assert (found.failures, found.error) == (3, "")
    assert destination.closed >= 3
    assert caplog.text.count("takes no records: no: ***") == 1
    assert "OSError: gone" in caplog.text
    assert "hush" not in caplog.text


def test_what_hangs_is_cut_off(log: Log) -> None:
    """After the time the entry gives it."""

    class Hanging(Scripted):
        async def send(self, parcels: Sequence[Parcel]) -> None:
            if not self.sizes:
                self.sizes.append(0)
                await asyncio.sleep(60)
            await super().send(parcels)

    log.write(line(1))
    destination = Hanging()
    assert ship(log, destination, shipment(timeout=0.02)).failures == 1
    assert destination.arrived == [line(1)]


def test_no_record(log: Log) -> None:
    """It is kept aside, and nothing waits for it."""
    log.write(line(1), b"no JSON", b'{"type": "Delivery"}', line(2))
    destination = Scripted()
    found = ship(log, destination)
    assert destination.arrived == [line(1), line(2)]
    assert found.refused == 2
    assert [refusal.line for refusal in refused(log)] == ["no JSON", '{"type": "Delivery"}']


class Choosy(Scripted):
    """Takes no batch with certain records in it."""

    def __init__(self, never: set[bytes], *script: BaseException | None) -> None:
        super().__init__(*script)
        self._never = never

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """None of it, or all."""
        if any(parcel.line in self._never for parcel in parcels):
            raise RefusedError("not that: hush")
        await super().send(parcels)


def test_what_it_will_never_take(log: Log) -> None:
    """The record at fault is found and kept; the others arrive, in order."""
    lines = [*map(line, range(20))]
    log.write(*lines)
    destination = Choosy({lines[7], lines[19]})
    found = ship(log, destination)
    assert destination.arrived == [each for each in lines if each not in (lines[7], lines[19])]
    assert (found.shipped, found.refused) == (18, 2)
    assert [refusal.line.encode() for refusal in refused(log)] == [lines[7], lines[19]]
    assert {refusal.reason for refusal in refused(log)} == {"not that: ***"}


def first_arrivals(arrived: list[bytes]) -> list[bytes]:
    """Each line where it came first."""
    return list(dict.fromkeys(arrived))


ENDS = ("", "fails", "crashes")


class Crash(BaseException):
    """The process is killed."""


outcomes = st.sampled_from(
    [
        f"{takes}{ends}"
        for takes in ("", "takes all ", "takes some ")
        for ends in ENDS
        if takes or ends
    ]
)


class Treacherous(Choosy):
    """May fail, or be the last thing this process does, before it took a batch, or after."""

    def __init__(self, never: set[bytes], outcomes: list[str]) -> None:
        super().__init__(never)
        self._outcomes = outcomes

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """As the next outcome says."""
        outcome = self._outcomes.pop(0) if self._outcomes else "takes all "
        if outcome.startswith("takes all"):
            await super().send(parcels)
        elif outcome.startswith("takes some"):  # as a broker that dies in the middle
            await super().send(parcels[: len(parcels) // 2])
            raise UnavailableError("in the middle")
        if outcome.endswith("fails"):
            raise UnavailableError("not now")
        if outcome.endswith("crashes"):
            raise Crash


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 520), min_size=1, max_size=3),
    outcomes=st.lists(outcomes, max_size=8),
    never=st.sets(st.integers(0, 300), max_size=2),
    loses_state=st.booleans(),
)
def test_nothing_is_missing_and_first_arrivals_are_in_order(
    *, sizes: list[int], outcomes: list[str], never: set[int], loses_state: bool
) -> None:
    """Whatever fails, and whenever it crashes, with the place of any earlier moment on disk."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder) / "run")
        lines = []
        for size in sizes:
            new = [*map(line, range(len(lines), len(lines) + size))]
            log.write(*new)
            log.begin()
            lines += new
        bad = {lines[number] for number in never if number < len(lines)}
        destination = Treacherous(bad, outcomes)
        old = Path(folder) / "old"
        while True:
            shutil.copytree(log.run_dir / "ship", old, dirs_exist_ok=True)
            try:
                ship(log, destination)
                break
            except Crash:
                if loses_state:  # what was written last is not on the disk
                    shutil.copytree(old, log.run_dir / "ship", dirs_exist_ok=True)
                    if not (old / "there.json").exists():
                        state.path_of(log.run_dir / "ship", "there").unlink(missing_ok=True)
        assert first_arrivals(destination.arrived) == [each for each in lines if each not in bad]
        assert {refusal.line.encode() for refusal in refused(log)} == bad


def test_what_is_lost_is_counted(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """Segments that were deleted while the destination was away: the records they held."""
    for segment in range(3):
        log.write(*map(line, range(segment * 10, segment * 10 + 10)))
        log.begin()
    first, second, third = sorted(log.folder.iterdir())[:3]

    async def away() -> None:
        """It takes the half of one segment, and then nothing."""
        destination = Scripted(*[UnavailableError("away")] * 1000)
        shipping = Shipper(log.run_dir, shipment(), destination, Patience(0.05, 0.05))
        await asyncio.wait_for(shipping.run(), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(away())
    assert state.load(log.run_dir / "ship", "there").behind == 30
    first.unlink()
    third.unlink()
    destination = Scripted()
    found = ship(log, destination)
    assert destination.arrived == [*map(line, range(10, 20))]
    assert found.lost == 20
    assert "lost" in caplog.text
    assert second.exists()


def test_lag_is_written_while_it_is_away(log: Log) -> None:
    """How many records wait, since when, and why."""
    log.write(*map(line, range(7)))

    async def away() -> None:
        shipping = Shipper(log.run_dir, shipment(), Scripted(*[OSError("no")] * 99))
        await asyncio.wait_for(shipping.run(), 0.1)

    with pytest.raises(TimeoutError):
        asyncio.run(away())
    found = state.load(log.run_dir / "ship", "there")
    assert (found.behind, found.place.line) == (7, 0)
    assert found.error == "OSError: no"
    assert found.oldest == 1_700_000_000.0
    assert found.url == "https://ann:***@dest.example/"


def test_it_is_stopped_while_it_saves(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two saves at a time would be in each other's way, and their error hide the stop."""
    log.write(line(1))
    saving, saves = threading.Event(), []
    real = state.save

    def slow(folder: Path, new: state.State) -> None:
        saves.append("begun")
        saving.set()
        real(folder, new)
        time.sleep(0.05)
        saves.append("ended")

    monkeypatch.setattr(state, "save", slow)

    async def stopped() -> None:
        shipping = asyncio.ensure_future(Shipper(log.run_dir, shipment(), Scripted()).run())
        await asyncio.to_thread(saving.wait, 5)
        shipping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await shipping

    asyncio.run(stopped())
    assert saves == ["begun", "ended"] * 2


def test_a_destination_that_refuses_everything(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """One line, not one for each record; the state has the last reason, not one from before."""
    log.write(*map(line, range(8)))

    class Refusing(Scripted):
        async def send(self, parcels: Sequence[Parcel]) -> None:
            await super().send(parcels)
            raise RefusedError("415")

    found = ship(log, Refusing(UnavailableError("302")))
    assert (found.refused, found.error, len(refused(log))) == (8, "refused: 415", 8)
    assert caplog.text.count("will never take") == 1
    log.write(line(9))
    assert ship(log, Scripted()).error == ""


def test_its_files_are_not_for_everybody(log: Log) -> None:
    """They have records in them."""
    before = os.umask(0o022)
    try:
        log.write(b"no record", line(1))
        ship(log, Scripted())
    finally:
        os.umask(before)
    folder = log.run_dir / "ship"
    for path in (state.path_of(folder, "there"), refusals.path_of(folder, "there")):
        assert path.stat().st_mode & 0o777 == 0o640

"""One destination, followed up: the next records read, sent until they are safe, the place kept.

Order is kept by having one batch under way at a time. A batch that is refused for good is halved
until the record at fault stands alone; that one is kept aside, and the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.shipping import parcel, refusals, remarks, state
from kumo_handlers.shipping.destination import RefusedError, UnavailableError
from kumo_handlers.shipping.follower import Follower
from kumo_handlers.shipping.ledger import Ledger
from kumo_handlers.shipping.patience import Patience
from kumo_handlers.shipping.refusals import Refusal
from kumo_handlers.shipping.remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kumo_handlers.journal.selection import Selection
    from kumo_handlers.shipping.destination import Destination
    from kumo_handlers.shipping.parcel import Parcel
    from kumo_handlers.shipping.shipment import Shipment
    from kumo_handlers.shipping.state import Place

log = logging.getLogger(__name__)

LOOK = 0.2  # seconds between two looks at a log in which nothing is new
_CLOSING = 2.0
SAVE = 1.0  # a crash repeats what was sent in this time


class Shipper:
    """Ships ``run_dir``'s log to one destination. Raises ValueError for a state it cannot read."""

    def __init__(
        self,
        run_dir: Path,
        shipment: Shipment,
        destination: Destination,
        patience: Patience | None = None,
    ) -> None:
        self._shipment = shipment
        self._destination = destination
        self._patience = patience or Patience()
        self._folder = run_dir / "ship"
        self._state = state.load(self._folder, shipment.name)
        self._ledger = Ledger(run_dir / "log", self._state.extents)
        self._follower = Follower(run_dir / "log", self._state.place, self._gone)
        self._remarks = Remarks(shipment.name)
        self._due = 0.0
        self._saving = threading.Lock()  # one that was begun in a thread cannot be cancelled

    async def run(self, *, drain: bool = False) -> None:
        """Ship, until it is cancelled; with ``drain``, until nothing is left."""
        try:
            while True:
                stretch = self._follower.read()
                if stretch is not None:
                    self._ledger.visit(stretch.place.segment)
                    await self._ship(stretch.lines)
                    self._note(place=stretch.place, oldest=0.0)
                elif drain:
                    return
                else:
                    await asyncio.sleep(LOOK)
                await self._save_when_due()
        finally:
            self._follower.close()
            self._save_last()
            await self._close()

    async def _ship(self, lines: list[bytes]) -> None:
        """Those of the lines that are wanted; what is no record is kept aside."""
        wanted = []
        for line, found in self._parcels(lines):
            if isinstance(found, ValueError):
                self._refuse(line, str(found))
            elif found.head in self._wanted:
                wanted.append(found)
        if wanted:
            self._note(oldest=wanted[0].logged)
            await self._deliver(wanted)

    @property
    def _wanted(self) -> Selection:
        return self._shipment.selection

    def _parcels(self, lines: list[bytes]) -> Iterator[tuple[bytes, Parcel | ValueError]]:
        for line in lines:
            try:
                yield line, parcel.parcel(line)
            except ValueError as error:
                yield line, error

    async def _deliver(self, parcels: list[Parcel]) -> None:
        """Return when each of them is safe there, or kept aside."""
        while True:
            try:
                async with asyncio.timeout(self._shipment.timeout):
                    await self._destination.send(parcels)
            except RefusedError as error:
                await self._divide(parcels, error)
                return
            except UnavailableError as error:
                parcels = parcels[error.taken :]
                self._note(shipped=self._state.shipped + error.taken)
                await self._rest(str(error), error.wait)
            except TimeoutError:
                await self._rest(f"no answer within {self._shipment.timeout:g} s")
            except Exception as error:  # noqa: BLE001 - whatever it is, the records are not there
                await self._rest(remarks.of(error))
            else:
                self._patience.reset()
                self._remarks.good()
                self._note(shipped=self._state.shipped + len(parcels), error="")
                return

    async def _divide(self, parcels: list[Parcel], error: RefusedError) -> None:
        """One of them is at fault: the halves, each in its turn."""
        if len(parcels) == 1:
            self._patience.reset()  # it answers
            self._refuse(parcels[0].line, str(error))
            self._note(error=f"refused: {self._shipment.scrubbed(str(error))}")
            return
        middle = len(parcels) // 2
        await self._deliver(parcels[:middle])
        await self._deliver(parcels[middle:])

    def _refuse(self, line: bytes, reason: str) -> None:
        reason = self._shipment.scrubbed(reason)
        self._remarks.refused(reason)
        refusal = Refusal(time.time(), reason, line.decode("utf-8", "backslashreplace"))
        refusals.keep(self._folder, self._shipment.name, refusal)
        self._note(refused=self._state.refused + 1)

    async def _rest(self, reason: str, asked: float | None = None) -> None:
        """It takes nothing: say so, once for each reason, and wait. The disk has the records."""
        await self._close()
        reason = self._shipment.scrubbed(reason)
        self._remarks.resting(reason)
        self._note(failures=self._state.failures + 1, error=reason)
        end = time.monotonic() + self._patience.next(asked)
        while (left := end - time.monotonic()) > 0:
            await self._save_when_due()
            await asyncio.sleep(min(left, SAVE))

    async def _close(self) -> None:
        """Let go of a connection that may be beyond being closed politely."""
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING):
                await self._destination.close()

    def _gone(self, place: Place) -> None:
        """The log went on, and the segment to go on in was deleted."""
        self._note_loss(self._ledger.strike(place), place.segment)

    def _note_loss(self, lines: int, where: str) -> None:
        self._note(lost=self._state.lost + lines)
        log.error(
            "%s was deleted before all of it was shipped to %s: %d records are lost to it",
            where,
            self._shipment.name,
            lines,
        )

    def _note(self, **changes: object) -> None:
        self._state = msgspec.structs.replace(self._state, **changes)

    async def _save_when_due(self) -> None:
        """Each second: what is behind counted, and all of it written down."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + SAVE
            if lost := await asyncio.to_thread(self._ledger.look, self._state.place):
                self._note_loss(lost, "a segment of the log")
            await asyncio.to_thread(self._save)

    def _save(self) -> None:
        """One at a time."""
        with self._saving:
            self._save_now()

    def _save_last(self) -> None:
        """At the end, which nothing may stand in the way of: what is not written comes again."""
        try:
            self._save()
        except OSError as error:
            log.error("the place of %s is not written: %s", self._shipment.name, error)  # noqa: TRY400 - the reason is all there is

    def _save_now(self) -> None:
        place = self._state.place
        self._note(
            url=self._shipment.shown_url,
            behind=self._ledger.behind(place),
            updated=time.time(),
            extents=self._ledger.extents,
        )
        state.save(self._folder, self._state)

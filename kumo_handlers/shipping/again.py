"""What a destination refused, sent to it once more, when what was wrong there has been mended.

The refusals become the log of a folder of their own, ``run/ship/NAME.again``, which is shipped to
its end as any log is; what is refused anew goes back to where it was. Broken off at any moment, the
next try goes on from there: a record may arrive twice, and none is lost.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal import segment
from kumo_handlers.shipping import foreground, lag, refusals, state
from kumo_handlers.shipping.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kumo_handlers.shipping.shipment import Shipment

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
_decoder = msgspec.json.Decoder(Refusal)


class Sent(msgspec.Struct, frozen=True):
    """What became of the refusals; ``waiting`` is not 0 where shipping was broken off."""

    shipped: int = 0
    refused: int = 0
    waiting: int = 0


def ship(run_dir: Path, shipment: Shipment) -> Sent:
    """Ship all that it refused. Raises `ConfigurationError` where somebody else is at it."""
    folder, name = run_dir / "ship", shipment.name
    with _alone(folder, name):
        again = _taken(folder, name)
        if again is None:
            return Sent()
        foreground.run(again, [shipment], drain=True)
        waiting = lag.of(again, name, time.time()).records
        if not waiting:
            _put_back(folder, name, again)
        found = state.load(again / "ship", name)
        if not waiting:
            _remove(again)
        return Sent(found.shipped, found.refused, waiting)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """One at a time. The shipper of the app is none of ours: it goes on with what is new."""
    if not folder.is_dir():
        yield
        return
    file = os.open(folder / f"{name}.again.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise ConfigurationError(
            Problem(message=f"{name}: its refused records are being sent by another process")
        ) from error
    try:
        yield
    finally:
        os.close(file)


def _taken(folder: Path, name: str) -> Path | None:
    """The folder whose log is what was refused; of a try that was broken off, the one there is."""
    again, refused = folder / f"{name}.again", refusals.path_of(folder, name)
    taken, log = again / "taken.jsonl", again / "log" / segment.name_of(0)
    if not taken.exists():
        if not refused.exists():
            return None
        log.parent.mkdir(parents=True, exist_ok=True)
        refused.rename(taken)  # what is refused from now on begins another file
    if not log.exists():
        lines = (_decoder.decode(line).line for line in taken.read_bytes().splitlines())
        unfinished = log.with_suffix(".unfinished")
        _write(unfinished, "".join(f"{line}\n" for line in lines).encode(), os.O_TRUNC)
        unfinished.rename(log)
    return again


def _put_back(folder: Path, name: str, again: Path) -> None:
    """What was refused anew, with the new reason."""
    anew = refusals.path_of(again / "ship", name)
    if anew.exists():
        _write(refusals.path_of(folder, name), anew.read_bytes(), os.O_APPEND)


def _remove(again: Path) -> None:
    """In one step for whoever comes next, however many files it has."""
    done = again.with_suffix(".done")
    shutil.rmtree(done, ignore_errors=True)
    again.rename(done)
    shutil.rmtree(done)


def _write(path: Path, content: bytes, how: int) -> None:
    with os.fdopen(os.open(path, _OPEN | how, 0o640), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

"""How far a destination is, and how it fares: a file of its own, replaced whole.

The place in it is durable. It is written after the destination has confirmed what stands before
it, so a crash repeats records and never leaves one out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class Place(msgspec.Struct, frozen=True):
    """Up to where the log was shipped: ``offset`` bytes and ``line`` lines of ``segment``.

    ``inode`` tells a segment from another one that was given its name.
    """

    segment: str = ""
    inode: int = 0
    offset: int = 0
    line: int = 0


class Extent(msgspec.Struct, frozen=True):
    """The whole lines of a segment, as far as it was seen to grow."""

    size: int = 0
    lines: int = 0


class State(msgspec.Struct, frozen=True, kw_only=True):
    """One destination. Counts are of all time; moments are in seconds since the epoch, or 0.

    ``behind`` is how many records wait, ``oldest`` when the first of them was logged. ``error``
    is why nothing goes, empty while things go. ``extents`` are those of segments still needed.
    """

    name: str
    url: str = ""
    place: Place = Place()
    shipped: int = 0
    refused: int = 0
    lost: int = 0
    failures: int = 0
    behind: int = 0
    oldest: float = 0.0
    updated: float = 0.0
    error: str = ""
    extents: dict[str, Extent] = {}


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_decoder = msgspec.json.Decoder(State)


def path_of(folder: Path, name: str) -> Path:
    """The file of a destination; ``folder`` is that of all of them."""
    return folder / f"{name}.json"


def load(folder: Path, name: str) -> State:
    """The state there is, or that of a destination that was given nothing yet.

    Raises ValueError where the file cannot be understood: to begin anew is a person's decision.
    """
    path = path_of(folder, name)
    try:
        return _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return State(name=name)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}; without the file, all of the log is shipped") from error


def save(folder: Path, state: State) -> None:
    """Replace the file, durably: else a power failure may leave an empty one in its place.

    Raises OSError, with the file as it was.
    """
    path = path_of(folder, state.name)
    unfinished = path.with_suffix(".unfinished")
    with os.fdopen(os.open(unfinished, _NEW, 0o640), "wb") as file:
        file.write(msgspec.json.encode(state))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)

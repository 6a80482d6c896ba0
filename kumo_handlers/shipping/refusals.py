"""What a destination will never take: kept in a file of its own, for a person to look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Refusal(msgspec.Struct, frozen=True):
    """A line of the log, as text, and why it was refused."""

    time: float
    reason: str
    line: str


def path_of(folder: Path, name: str) -> Path:
    """The file of a destination's refusals."""
    return folder / f"{name}.refused.jsonl"


def keep(folder: Path, name: str, refusal: Refusal) -> None:
    """Add it to the file, durably. Raises OSError."""
    with os.fdopen(os.open(path_of(folder, name), _APPEND, 0o640), "ab") as file:
        file.write(msgspec.json.encode(refusal) + b"\n")
        file.flush()
        os.fsync(file.fileno())

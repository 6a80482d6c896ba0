"""What the shipping process has to say, in its own words to nobody but the app that started it.

One JSON object a line, on standard output; the app logs it again. Every secret of every
destination is taken out before, whichever library the text is from.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.shipping.shipment import Shipment


class Told(msgspec.Struct, frozen=True):
    """A log line: its level, a number of `logging`, who said it, and the text."""

    level: int
    name: str
    text: str


class _Formatter(logging.Formatter):
    def __init__(self, shipments: Sequence[Shipment], *, as_json: bool) -> None:
        super().__init__("%(message)s" if as_json else "%(asctime)s %(levelname)s %(message)s")
        self._shipments = shipments
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for shipment in self._shipments:
            text = shipment.scrubbed(text)
        if not self._as_json:
            return text
        return msgspec.json.encode(Told(record.levelno, record.name, text)).decode()


def speak(shipments: Sequence[Shipment], file: TextIO | None = None, *, as_json: bool) -> None:
    """Log to ``file``, or standard error, from now on: ours from INFO on, libraries' warnings."""
    spoken = logging.StreamHandler(file or sys.stderr)
    spoken.setFormatter(_Formatter(shipments, as_json=as_json))
    root = logging.getLogger()
    root.handlers[:] = [spoken]
    root.setLevel(logging.WARNING)
    logging.getLogger("kumo_handlers").setLevel(logging.INFO)


def repeat(line: bytes) -> None:
    """Log in this process what the other one said; what is no such line is logged as it is."""
    try:
        told = msgspec.json.decode(line, type=Told)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = Told(logging.ERROR, __name__, line.decode("utf-8", "replace").rstrip())
    logging.getLogger(told.name).log(told.level, "%s", told.text)

"""What the app tells its shipping process, on standard input, where no one else can read it."""

from __future__ import annotations

import msgspec

from kumo_handlers.shipping.shipment import Shipment


class Orders(msgspec.Struct, frozen=True):
    """The folder of the log, and the destinations, secrets and all."""

    run_dir: str
    shipments: tuple[Shipment, ...]


def encode(orders: Orders) -> bytes:
    """One line."""
    return msgspec.json.encode(orders) + b"\n"


def decode(line: bytes) -> Orders:
    """The orders of a line. Raises `msgspec.DecodeError`."""
    return msgspec.json.decode(line, type=Orders)

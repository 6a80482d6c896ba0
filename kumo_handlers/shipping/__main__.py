"""The shipping process of an app: ``python -m kumo_handlers.shipping``, orders on standard input.

It ends when its standard input does, so it never outlives the app, however that ends; and on
SIGTERM and SIGINT, which a service's stop, or Ctrl-C, sends to every process there is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kumo_handlers.shipping import foreground, orders

_NICE = 10  # mail comes first


def main() -> None:
    """Ship until the app is gone."""
    given = orders.decode(sys.stdin.buffer.readline())
    os.nice(_NICE)
    foreground.run_for_app(Path(given.run_dir), given.shipments)


if __name__ == "__main__":
    main()

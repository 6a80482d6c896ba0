"""All measurements, or those named: ``python -m benchmarks lookup parse smtp``."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = {"lookup": "lookup", "lua": "lua", "parse": "parsing", "smtp": "smtp"}


def main() -> None:
    """Run them."""
    for part in sys.argv[1:] or PARTS:
        import_module(f"benchmarks.{PARTS[part]}").main()


main()

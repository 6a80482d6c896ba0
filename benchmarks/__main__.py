"""All measurements, or those named: ``python -m benchmarks lookup parse smtp``."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = {
    "lookup": "lookup:main",
    "scale": "scale:main",
    "parse": "parsing:main",
    "lua": "lua:main",
    "smtp": "smtp:main",
    "sessions": "smtp:sessions",
    "limits": "limits:main",
    "broker": "broker:main",
    "cores": "cores:main",
    "count": "count:main",
}


def main() -> None:
    """Run them."""
    for part in sys.argv[1:] or PARTS:
        module, _, function = PARTS[part].partition(":")
        getattr(import_module(f"benchmarks.{module}"), function)()


main()

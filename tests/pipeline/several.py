"""An app with two workers, in a process of its own: ``several.py FOLDER METRICS_PORT``.

Prints where it listens.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

from salmon.routing import Router

import kumo_handlers

folder = Path(sys.argv[1])
logging.basicConfig(filename=folder / "app.log", level=logging.INFO)
settings = SimpleNamespace(
    listener_domains=[str(folder / "rules.toml")],
    listeners=[{"listen": "127.0.0.1:0", "relay_hosts": []}],
    run_dir=str(folder / "run"),
    handlers=kumo_handlers.pipeline(),
    metrics=f"127.0.0.1:{sys.argv[2]}",
    workers=2,
    stop_timeout=5,
)
receiver = kumo_handlers.receiver(settings)
Router.load(settings.handlers)
receiver.start()
sys.stdout.write(f"{receiver.addresses[0].port}\n")
sys.stdout.flush()
receiver.join()

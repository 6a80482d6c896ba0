"""Settings of the example application."""

from typing import Any

import kumo_handlers

# where mail goes that may be relayed
relay_config = {"host": "localhost", "port": 8825}

# who may send what to which domain
listener_domains = ["config/listener_domains.toml"]

# where to listen; every option is in docs/options.md
listeners = [
    {"listen": "127.0.0.1:2025", "hostname": "mail.example.com"},
    {"listen": "127.0.0.1:2026", "hostname": "mail.example.com", "relay_hosts": []},
]

handlers = kumo_handlers.pipeline(
    reports=["app.handlers.suppression"],
    inbound=["app.handlers.suppressed", "app.handlers.inbound"],
)

# addresses not to write to again: a file, or postgresql://USER:PASSWORD@HOST/DATABASE for several
suppression = "sqlite:run/suppression.sqlite3"

router_defaults = {"host": ".+"}

# config/boot.py and config/testing.py put the real ones here
relay: Any = None
receiver: Any = None

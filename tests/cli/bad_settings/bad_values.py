"""Values that are none of what is expected."""

import kumo_handlers

listener_domains = ["rules.toml", "missing.toml"]
listeners = [{"listen": "127.0.0.1", "relay_host": []}]
sinks = 5
trace_max_age = "soon"
handlers = kumo_handlers.pipeline()

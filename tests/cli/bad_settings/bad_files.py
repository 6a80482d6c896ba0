"""Names of what is not there, and what cannot be used."""

import kumo_handlers

listener_domains = ["rules.toml"]
listeners = [
    {"listen": "127.0.0.1:2525", "tls_certificate": "missing.pem", "relay_hosts": ["any"]},
    {"listen": "localhost:2525"},
]
sinks = ["jsonlines"]
classification = ["missing.toml"]
trace_keys = {"2026": "short"}
handlers = kumo_handlers.pipeline()

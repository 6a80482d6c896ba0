"""Handlers: one that is not there, one that fails, one on reports behind drop."""

import kumo_handlers

listener_domains = ["rules.toml"]
handlers = [
    *kumo_handlers.pipeline(inbound=["late_on_reports"]),
    "bad_app.handlers.suppresion",
    "fails_on_import",
]

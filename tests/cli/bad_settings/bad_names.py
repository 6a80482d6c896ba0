"""A setting that is one letter off, so that there are no rules; webhooks that prove nothing."""

import kumo_handlers

listener_domain = ["rules.toml"]
handlers = kumo_handlers.pipeline()
ship = [
    "https://hooks.example.com/T0KEN",
    {"url": "https://signed.example.com/", "secret": "s3cret"},
    {"url": "https://named.example.com/", "headers": {"Authorization": "Bearer t0ken"}},
    "https://mail:p4ss@known.example.com/",
]

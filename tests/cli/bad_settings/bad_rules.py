"""Settings that are right, with rules that are not."""

import kumo_handlers

listener_domains = ["broken.toml"]
handlers = kumo_handlers.pipeline()

"""Handlers in an order that loses bounces, and without the last one."""

listener_domains = ["rules.toml"]
handlers = [f"kumo_handlers.handlers.{name}" for name in ("gate", "arf", "drop", "oob")]

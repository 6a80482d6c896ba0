"""What a Salmon app lists in settings.handlers: gate, arf, oob, drop, relay."""

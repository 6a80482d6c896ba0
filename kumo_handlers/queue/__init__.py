"""Mail to relay: kept durably, delivered, retried."""

"""Who may send what: listeners, listener domains, and the relay decision."""

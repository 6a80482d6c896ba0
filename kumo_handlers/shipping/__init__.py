"""Records to where they are wanted: the log is the outbox, and each destination follows it."""

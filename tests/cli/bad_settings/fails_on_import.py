"""A handler that cannot be imported."""

raise KeyError("DATABASE_URL")

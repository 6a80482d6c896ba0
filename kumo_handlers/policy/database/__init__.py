"""Rules in a table of a database, PostgreSQL or SQLite, that many nodes read."""

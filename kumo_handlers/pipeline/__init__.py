"""The way of a mail through Salmon."""

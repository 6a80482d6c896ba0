"""Accepted mail on a message broker: confirmed before 250, taken by any number of workers."""

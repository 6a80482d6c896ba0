"""Bytes to bounce or complaint: no I/O, frozen values, any input."""

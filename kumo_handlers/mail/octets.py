"""Octets as text, whatever they are, and back: what is no UTF-8 is surrogate-escaped (PEP 383).

Addresses and report fields come with any octets in them, and leave with the same ones.
"""

from __future__ import annotations


def to_text(octets: bytes) -> str:
    """The octets as text."""
    return octets.decode("utf-8", "surrogateescape")


def of_text(text: str) -> bytes:
    """The octets that the text was, or those it has in UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate, written as \\ud800 in somebody's JSON
        return text.encode("utf-8", "surrogatepass")


def is_utf8(text: str) -> bool:
    """Whether the text can be written as UTF-8: none of it is escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""A record on one line, for people: what every place that shows records shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# A terminal's colour for each type; `bold` where somebody should look.
COLOURS = {
    "Reception": "green",
    "Delivery": "bold green",
    "Rejection": "red",
    "Bounce": "bold red",
    "Expiration": "bold red",
    "TransientFailure": "yellow",
    "OOB": "magenta",
    "Feedback": "cyan",
}


def parts(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Text and its style: type, who to whom, the answer, and the rule where one is known."""
    response = record["response"]
    kind = printable(record["type"])
    yield f"{kind:<16} ", COLOURS.get(kind, "")
    yield f"<{printable(record['sender'])}> → <{printable(record['recipient'])}>  ", ""
    yield f"{response['code']} ", "bold"
    yield printable(response["content"]), ""
    if rule := record["meta"].get("rule"):
        yield f"  [{printable(rule)}]", "dim"


def printable(value: object) -> str:
    """Text that cannot steer the terminal; the bytes of what is no text, as Python writes them."""
    if isinstance(value, list):
        return repr(bytes(value))[2:-1]
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)

"""How a record is addressed at a broker: a template, filled from the record's fields.

A routing key is words between dots, at most 255 octets (AMQP 0-9-1, 3.1.3.3). A domain keeps its
dots: a binding ``OOB.#`` takes all bounces, ``*.example.com`` all that is about that domain.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = (
    *("type", "domain", "sender_domain", "queue", "site", "nodeid"),
    "bounce_classification",
)
MOST = 255
EXPECTED = f"text with any of {', '.join(f'{{{name}}}' for name in FIELDS)}"
_UNFIT = re.compile(r"[*#\s\x00-\x1f\x7f]")  # * and # mean something in a binding


def check(template: object) -> str:
    """The template. Raises ValueError where it is none."""
    if not isinstance(template, str) or not template:
        raise ValueError("no text")
    for _, name, form, conversion in Formatter().parse(template):
        if name is not None and (name not in FIELDS or form or conversion):
            raise ValueError(f"{{{name}}} is no field")
    return template


def fill(template: str, fields: Mapping[str, str]) -> str:
    """The routing key of a record. A field that is empty becomes ``-``."""
    key = template.format_map({name: _UNFIT.sub("_", fields[name]) or "-" for name in FIELDS})
    return key.encode()[:MOST].decode(errors="ignore")

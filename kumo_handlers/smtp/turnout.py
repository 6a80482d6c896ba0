"""How much a listener has to do: who came, and what was said. For whoever counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Turnout:
    """Counts since the start: connections, and replies by their code."""

    connections: int = 0
    replies: Counter[int] = field(default_factory=Counter)

"""Open relay: listener, peer, authentication, reverse-path, forward-path; and no difference.

Each case goes as octets through the listener's state machine to the real decision and its reply;
what is expected comes from `oracle`, which shares nothing with the package.
"""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.policy import tables

from .paths import FORWARD_PATHS, REVERSE_PATHS
from .rules import LISTENERS, LOCALS, RULES
from .situations import SITUATIONS, Situation, expected
from .wire import House

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .paths import Path


class Matrix:
    """One listener with its rules, and how often it decided what."""

    def __init__(self, rules: str, listener: str, threads: ThreadPoolExecutor) -> None:
        self._rules, self._listener = RULES[rules], LISTENERS[listener]
        self._house = House(tables.load([self._rules]), self._listener, threads)
        self.counts: Counter[str] = Counter()

    def check(self, situation: Situation, sender: Path, recipients: Sequence[Path]) -> None:
        """One session, one transaction: each reply is the expected one, each refusal logged."""
        wire = self._house.meet(situation)
        mail, *said = wire.send(
            f"MAIL FROM:<{sender.text}> SMTPUTF8", *(f"RCPT TO:<{to.text}>" for to in recipients)
        )
        assert mail.startswith("2" if sender.domain is not None else "5"), (sender, mail)
        for to, reply in zip(recipients, said, strict=True):
            wanted = expected(self._rules, self._listener, situation, sender, to)
            if wanted == "5":
                assert reply[0] == "5", (sender, to, reply)
                assert "relaying" not in reply, (sender, to, reply)
            else:
                assert reply == wanted, (self._rules, self._listener, situation, sender, to)
            self.counts[wanted[:3]] += 1
        refused = sum(reply.startswith("550 5.7.1 relaying") for reply in said)
        assert len(self._house.notebook.take().records) == refused


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Workers, which no decision needs."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("rules", RULES)
def test_sessions(rules: str, threads: ThreadPoolExecutor) -> None:
    """All listeners; of ways, peers, local addresses and logins a third; addresses by lot."""
    chance = random.Random(rules)  # noqa: S311 - a choice, no secret
    counts: Counter[str] = Counter()
    for listener in LISTENERS:
        matrix = Matrix(rules, listener, threads)
        for situation in SITUATIONS[chance.randrange(3) :: 3]:
            sender, recipients = chance.choice(REVERSE_PATHS), chance.sample(FORWARD_PATHS, 4)
            matrix.check(situation, sender, recipients)
        counts += matrix.counts
    assert sum(counts.values()) > 20_000
    assert min(counts.values()) > 1000, counts


@pytest.mark.parametrize(
    ("listener", "peer", "login"),
    [
        ("nobody", ("10.0.0.5", "10.0.0.5"), (None, None)),
        ("nobody", ("203.0.113.9", "203.0.113.9"), ("ann", "ann")),
        ("default", ("", None), ("bob", "bob")),
    ],
)
def test_addresses(
    listener: str,
    peer: tuple[str, str | None],
    login: tuple[str, str],
    threads: ThreadPoolExecutor,
) -> None:
    """Every reverse-path with every forward-path."""
    matrix = Matrix("sections", listener, threads)
    situation = Situation("direct", peer, LOCALS[1], login)
    for sender in REVERSE_PATHS:
        for start in range(0, len(FORWARD_PATHS), 15):
            matrix.check(situation, sender, FORWARD_PATHS[start : start + 15])
    assert sum(matrix.counts.values()) == len(REVERSE_PATHS) * len(FORWARD_PATHS)

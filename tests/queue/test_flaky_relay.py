"""A relay that does everything a relay may do wrong: each message comes to exactly one end.

What happened is counted; ``pytest -s`` shows it.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.queue.queued_mail import QueuedMail

    from .conftest import House, Post
    from .scripted_relay import ScriptedRelay

DROP, HANG, GARBAGE = b"<drop>", b"<hang>", b"\x00what?\r\n"
LOST = (DROP, HANG, GARBAGE)  # answers to the final dot that tell us nothing
WRONG = {
    "connect": (b"421 busy\r\n", b"554 no\r\n", DROP, GARBAGE),
    "EHLO": (b"500 what\r\n", DROP),
    "MAIL": (b"451 later\r\n", b"421 bye\r\n", DROP, GARBAGE, HANG),
    "RCPT": (b"452 later\r\n", b"550 5.1.1 unknown\r\n", DROP, GARBAGE),
    "DATA": (b"451 later\r\n", b"554 no\r\n", b"250 what\r\n", DROP, HANG),
    ".": (b"451 later\r\n", b"554 5.6.0 no\r\n", DROP, GARBAGE, HANG),
    "RSET": (b"500 no\r\n", DROP),
}
MESSAGES = 120
RECIPIENTS = (1, 2, 2, 3, 5)  # of a message, in their turn


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_comes_to_one_end(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    seed: int,
) -> None:
    """One Delivery, Bounce or Expiration each; twice only where an answer was lost, and counted."""
    chance = random.Random(seed)  # noqa: S311 - no secret

    def choose(stage: str) -> bytes | None:
        usual = chance.random() > (0.15 if stage in WRONG else 0)
        return None if usual else chance.choice(WRONG[stage])

    relay.choose = choose
    committer = house.open()
    post.start(
        committer,
        relay,
        workers=4,
        retry=RetrySchedule(first=0.02, most=0.1, give_up=4.0),
    )
    sent = 0
    for _, count in zip(range(MESSAGES), itertools.cycle(RECIPIENTS), strict=False):
        recipients = tuple(f"r{number}@x.example" for number in range(count))
        name = mail().id
        content = b"X-Name: %s\r\n\r\n" % name.encode()
        one = mail(id=name, recipients=recipients, content=content)
        committer.commit_blocking(Unit(mails=(one,)))
        sent += count
    lines = post.ends(sent, limit=30)
    assert house.rows("SELECT * FROM message") == []
    ends: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for line in lines:
        if line["type"] != "TransientFailure":
            ends[line["id"], line["recipient"]].append(line)
    assert {len(found) for found in ends.values()} == {1}
    assert len(ends) == sent
    lost = account(relay, {key: found[0] for key, found in ends.items()})
    figures = Counter(str(line["type"]) for line in lines)
    parted = _parted(ends)
    assert parted, "the test is to see recipients of one message go apart"
    shared = sum(len(received.recipients) > 1 for received in relay.received)
    sys.stdout.write(
        f"\n{MESSAGES} messages, {sent} recipients: {dict(figures)}; {len(relay.received)}"
        f" transactions came to a final dot, {shared} of them for several recipients; {parted}"
        f" messages had recipients with different ends; {lost} answers to the dot were lost\n"
    )


def _parted(ends: dict[tuple[str, str], list[dict[str, object]]]) -> int:
    """How many messages were delivered to some of their recipients, and not to others."""
    kinds: dict[str, set[object]] = defaultdict(set)
    for (name, _), (end,) in ends.items():
        kinds[name].add(end["type"])
    return sum(len(found) > 1 for found in kinds.values())


def account(relay: ScriptedRelay, ends: dict[tuple[str, str], dict[str, object]]) -> int:
    """What the relay had, against what we say about it; how many answers to the dot were lost."""
    taken: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for received in relay.received:
        name = received.content.partition(b"\r\n")[0].removeprefix(b"X-Name: ").decode()
        for recipient in received.recipients:
            key = (name, recipient.decode().removeprefix("RCPT TO:<").rstrip(">"))
            taken[key] += received.answer.startswith(b"250")
            lost[key] += received.answer in LOST
    for key, end in ends.items():
        meta = end["meta"]
        assert isinstance(meta, dict)
        assert taken[key] == (end["type"] == "Delivery")
        uncertain = bool(meta.get("possibly_delivered"))
        assert meta.get("possible_duplicates", 0) + uncertain == lost[key]
    assert sum(lost.values()), "the test is to see some answers lost"
    assert sum(taken.values())
    return sum(lost.values())

"""A relay that does everything a relay may do wrong: each message comes to exactly one end."""

from __future__ import annotations

import random
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
    names = []
    for _ in range(MESSAGES):
        one = mail(recipients=("a@x.example", "b@x.example"))
        one = mail(
            id=one.id, recipients=one.recipients, content=b"X-Name: %s\r\n\r\n" % one.id.encode()
        )
        names.append(one.id)
        committer.commit_blocking(Unit(mails=(one,)))
    lines = post.ends(2 * MESSAGES, limit=30)
    assert house.rows("SELECT * FROM message") == []
    ends: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for line in lines:
        if line["type"] != "TransientFailure":
            ends[line["id"], line["recipient"]].append(line)
    assert {len(found) for found in ends.values()} == {1}
    assert len(ends) == 2 * MESSAGES
    account(relay, {key: found[0] for key, found in ends.items()})


def account(relay: ScriptedRelay, ends: dict[tuple[str, str], dict[str, object]]) -> None:
    """What the relay had, against what we say about it."""
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

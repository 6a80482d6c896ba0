"""What a policy says against a client at the steps of its session, beside the relay decision.

Only a script has anything to say. It is asked as the listener would ask it, from the connection
to RCPT, and the first refusal ends it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.mail.reply import Reply

if TYPE_CHECKING:
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.situation import Situation


class Objection(msgspec.Struct, frozen=True):
    """A refusal, and the step at which it falls."""

    step: str
    reply: Reply


def find(policy: Policy, situation: Situation) -> Objection | None:
    """The first refusal, if there is one. Raises `PolicyError` where the script fails."""
    events, session = policy.events, situation.session
    if events is None:
        return None
    steps = (
        ("the connection", partial(events.connected, session)),
        ("EHLO", partial(events.hello, session)),
        ("MAIL FROM", partial(events.mail, session, situation.reverse_path)),
        ("RCPT TO", partial(_recipient, policy, situation)),
    )
    for step, ask in steps:
        reply = ask()
        if reply is not None:
            return Objection(step, reply)
    return None


def _recipient(policy: Policy, situation: Situation) -> Reply | None:
    """It is asked about recipients that the relay decision accepts."""
    if policy.events is None or not situation.decide(policy).accepted:
        return None
    return policy.events.recipient(situation.session, situation.forward_path)

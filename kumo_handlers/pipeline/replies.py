"""What is said at RCPT and after DATA by the policy's decision, each reply written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.mail.reply import reply

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Peer

ACCEPTED = reply(250, "2.0.0", "OK")
DROPPED = reply(250, "2.0.0", "OK, logged")
# The reason in the log where not the relay decision refuses, but an event of a script.
BY_SCRIPT = "an event of the policy"


def not_permitted(peer: Peer) -> Reply:
    """The refusal: it names the peer, and nothing of the policy."""
    return reply(550, "5.7.1", f"relaying not permitted for {peer}")

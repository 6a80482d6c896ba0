"""Who is refused before there is a message: logged, with the reason that the peer is not told.

A refusal holds up no reply: its record is committed with whatever is committed next.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from kumo_handlers.journal.record import Arrival, Response, rejection
from kumo_handlers.mail.address import NULL
from kumo_handlers.queue.unit import Unit
from kumo_handlers.smtp.identity import new_id

if TYPE_CHECKING:
    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.pipeline.installation import Installation

_log = logging.getLogger(__name__)


def facts(session: Session, reverse_path: Address, policy: str) -> dict[str, Any]:
    """On what each decision about a session rests; with these the log can be decided again.

    ``policy`` is the version of the rules.
    """
    return {
        "policy": policy,
        "listener": session.listener,
        "local": session.local,
        "authz_id": session.authz_id,
        # the record of a bounce has the original's sender and recipient
        "reverse_path": reverse_path.as_received(),
    }


class Refusals:
    """Writes the `Rejection` records of one installation."""

    def __init__(self, installed: Installation) -> None:
        self._installed = installed

    def log(
        self,
        session: Session,
        answer: Reply,
        command: str | None,
        meta: dict[str, Any],
        *,
        reverse_path: Address = NULL,
        forward_path: Address = NULL,
    ) -> Reply:
        """Log that ``command`` was answered with ``answer``, which is returned.

        ``meta`` has the ``reason``. Without a command the client itself was not wanted.
        """
        what = command or "the connection"
        _log.info("refused %s of %s: %s", what, session.peer, meta["reason"])
        arrival = Arrival(
            id=new_id(),
            session=session,
            reverse_path=reverse_path,
            forward_path=forward_path,
            size=0,
            time=time.time(),
            nodeid=self._installed.settings.nodeid,
            meta=meta,
        )
        refused = rejection(arrival, Response.of(answer, command))
        self._installed.committer.submit(Unit(records=(refused,)))
        return answer

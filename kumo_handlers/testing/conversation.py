"""A client that talks to the app in process: the rules, the handlers, and no socket."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec
from salmon.routing import Router

from kumo_handlers.journal.record import Record
from kumo_handlers.mail.reply import Reply, of_error
from kumo_handlers.mail.session import Envelope
from kumo_handlers.pipeline.intake import Intake
from kumo_handlers.policy import situation
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.situation import Question
from kumo_handlers.queue.kept import KeptMail
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.smtp.backend import Transaction
from kumo_handlers.smtp.identity import new_id
from kumo_handlers.testing.recording import rehearsed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.situation import Situation

_log = logging.getLogger(__name__)
A_ = TypeVar("A_")


class Heard(msgspec.Struct, frozen=True):
    """What came of one message: what the client heard, and what would be on disk by then.

    ``replies`` is what settled it: one reply in SMTP, one a recipient in LMTP. ``refused`` has
    the reply to each recipient that was not accepted at RCPT.
    """

    replies: tuple[Reply, ...]
    refused: dict[str, Reply]
    records: tuple[Record, ...]
    relayed: tuple[QueuedMail, ...]
    kept: tuple[KeptMail, ...]

    @property
    def reply(self) -> Reply:
        """The first of ``replies``: in SMTP, the one there is."""
        return self.replies[0]


class Conversation:
    """A client that talks to the app, in the manner of Salmon's `RouterConversation`.

    No socket is opened, nothing is queued and nothing delivered; but the rules, the reading of
    reports and the handlers, the app's own among them, are the real ones, as `config.testing`
    put them in place. From the first one on, this process writes no log and no queue.

        talk = Conversation(peer="192.0.2.1", listener="127.0.0.1:2025")
        heard = talk.say("v@bounce.example.com", make_bounce("gone@nowhere.example"), sender="")
        assert heard.reply.code == 250
        assert heard.records[0].type == "OOB"
    """

    def __init__(
        self,
        *,
        peer: str = "203.0.113.9",
        listener: str = "",
        sender: str = "ann@elsewhere.example",
        client_name: str = "client.example",
        authz_id: str | None = None,
    ) -> None:
        """``listener`` is an ``IP:PORT`` one listens on, the first by default.

        ``peer`` is the client's address. Raises `ConfigurationError` for what is neither.
        """
        self._sender = sender
        self._client_name = client_name
        self._question = Question(
            peer=peer, listener=listener, authz=authz_id, sender="", recipient="postmaster"
        )
        situation.of(self._question, rehearsed().listeners)

    def begin(self) -> None:
        """Begin anew: the states in which Salmon's handlers are with each sender are forgotten."""
        Router.clear_states()

    def say(
        self, recipients: str | Sequence[str], content: bytes, *, sender: str | None = None
    ) -> Heard:
        """Send one message; ``sender`` is the envelope's, ``""`` the null one.

        ``content`` has CRLF line ends. Raises `ConfigurationError` for what is no address.
        """
        envelope_sender = self._sender if sender is None else sender
        paths = [recipients] if isinstance(recipients, str) else list(recipients)
        installed = rehearsed()
        with ThreadPoolExecutor(1) as threads:
            situations = [
                situation.of(
                    msgspec.structs.replace(
                        self._question, sender=envelope_sender, recipient=recipient
                    ),
                    installed.listeners,
                )
                for recipient in paths
            ]
            intake = Intake(situations[0].listener, installed, threads)
            replies, refused = asyncio.run(self._transact(intake, situations, content))
        unit = installed.notebook.take()
        return Heard(replies, refused, unit.records, unit.mails, unit.kept)

    async def _transact(
        self, intake: Intake, situations: Sequence[Situation], content: bytes
    ) -> tuple[tuple[Reply, ...], dict[str, Reply]]:
        """One transaction, as the listener has it: the replies that settled it, the refusals."""
        first = situations[0]
        session = msgspec.structs.replace(first.session, id=new_id(), client_name=self._client_name)
        listener = _answer(session, lambda: intake.connected(session)) or first.listener
        if isinstance(listener, Reply):
            return (listener,), {}
        transaction = Transaction(new_id(), session, Envelope(first.reverse_path), listener)
        for ask in (lambda: intake.hello(session), lambda: intake.mail(transaction)):
            answer = _answer(session, ask)
            if answer is not None and not answer.accepts:
                return (answer,), {}
        refused: dict[str, Reply] = {}
        for each in situations:
            path = each.forward_path
            answer = _answer(session, partial(intake.recipient, transaction, path))
            if answer is not None and not answer.accepts:
                refused[str(path)] = answer
                continue
            paths = (*transaction.envelope.forward_paths, path)
            envelope = msgspec.structs.replace(transaction.envelope, forward_paths=paths)
            transaction = msgspec.structs.replace(transaction, envelope=envelope)
        if not transaction.envelope.forward_paths:
            intake.reset(transaction)
            return (list(refused.values())[-1],), refused
        said = await intake.message(transaction, content)
        intake.closed(session)
        return ((said,) if isinstance(said, Reply) else tuple(said)), refused


def _answer(session: Session, ask: Callable[[], Reply | Listener | None]) -> Reply | None:
    """An answer of the app; an error is one, too, as it is for the listener."""
    try:
        said = ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, the client hears a reply
        _log.exception("session %s", session.id)
        return of_error(error, session.hostname)
    # The tables of a test say which listener it is.
    return None if isinstance(said, Listener) else said

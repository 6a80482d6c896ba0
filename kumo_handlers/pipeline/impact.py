"""Recorded traffic, decided again by another policy: what would change.

A report is known as one only where an option made us read it. What was not read counts as an
ordinary message.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import outcome
from kumo_handlers.pipeline.outcome import Then
from kumo_handlers.pipeline.recorded_mail import TYPES, Line, RecordedMail
from kumo_handlers.policy import situation
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.listener_domain import NOWHERE
from kumo_handlers.policy.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.policy.situation import Situation

_SENDERS = ("relay_from", "relay_from_authz")


class Example(msgspec.Struct, frozen=True):
    """A mail whose decision changes."""

    id: str
    sender: str
    recipient: str
    peer: str


class Change(msgspec.Struct):
    """Mails that change in the same way: from what to what, for what reasons."""

    kind: str
    before: str
    after: str
    rule_before: str
    reason: str
    mails: list[Example]

    @property
    def domains(self) -> Counter[str]:
        """How many of the mails are for each domain."""
        return Counter(mail.recipient.rpartition("@")[2] for mail in self.mails)


class Impact:
    """Takes the lines of the log, then tells what would change.

    ``listeners`` are those of the settings. Without them, a peer is in `relay_hosts` if the
    record says that it was.
    """

    def __init__(self, policy: Policy, listeners: Sequence[Listener] = ()) -> None:
        self._policy = policy
        self._listeners = tuple(listeners)
        self._mails: dict[tuple[str, str], RecordedMail] = {}
        self._trusting = lru_cache(maxsize=4096)(_trusting)
        self._origin = lru_cache(maxsize=4096)(policy.origin)
        self.unreadable = 0

    def take(self, content: bytes) -> None:
        """One line of the log."""
        try:
            line = msgspec.json.decode(content, type=Line)
        except msgspec.DecodeError:
            self.unreadable += 1
            return
        if line.type in TYPES:
            key = (line.id, str(line.path))
            mail = self._mails.get(key)
            if mail is None:
                self._mails[key] = RecordedMail(line)
            else:
                mail.add(line)

    @property
    def mails(self) -> tuple[RecordedMail, ...]:
        """The mails whose decision was the policy's."""
        return tuple(mail for mail in self._mails.values() if mail.is_decided)

    def compare(self, mail: RecordedMail, changes: dict[tuple[str, ...], Change]) -> None:
        """Decide ``mail`` again, and add it to ``changes`` if it would go another way.

        Raises `PolicyError` when the policy cannot answer.
        """
        at = self._situation(mail)
        if at is None:
            self.unreadable += 1
            return
        disposition = at.decide(self._policy)
        before, after = _before(mail), self._after(mail, disposition, at)
        if _is_same(before, after, mail):
            return
        reason = self._reason(disposition, at)
        group = (mail.kind, before, after, mail.rule, reason)
        change = changes.setdefault(group, Change(*group, []))
        sender, recipient = str(at.reverse_path), str(at.forward_path)
        change.mails.append(Example(mail.first.id, sender, recipient, at.session.peer.host))

    def _situation(self, mail: RecordedMail) -> Situation | None:
        question = mail.question
        if question is None:
            return None
        listeners = self._listeners or (
            self._trusting(question.peer if mail.rule == "relay_hosts" else "", question.listener),
        )
        try:
            return situation.of(question, listeners)
        except ConfigurationError:  # an address of another time, a listener there is no more
            return None

    def _after(self, mail: RecordedMail, disposition: RelayDisposition, at: Situation) -> str:
        if not disposition.accepted:
            return "refused"
        decided = outcome.decide(disposition, mail.report, null_sender=at.reverse_path.is_null)
        is_logged = decided.is_bounce or decided.is_feedback
        if decided.then is Then.REFUSE:
            return "refused after DATA"
        return _words(is_logged=is_logged, is_relayed=decided.then is Then.RELAY)

    def _reason(self, disposition: RelayDisposition, at: Situation) -> str:
        """The rule, and the entry it stands in with its place."""
        if disposition.rule == "relay_hosts":
            return f"relay_hosts of listener {at.listener.listen}"
        by_sender = disposition.rule in _SENDERS
        found = disposition.sender_found if by_sender else disposition.found
        if found is None:
            return "no entry for the recipient's domain"
        rule = "" if disposition.rule == "none" else f"{disposition.rule} of "
        return f"{rule}{found} at {self._origin(found)}"


def _trusting(peer: str, where: str) -> Listener:
    """A listener at ``where`` that trusts ``peer`` alone, or nobody."""
    hosts = Networks.parse((peer,)) if peer else NOWHERE
    return Listener(listen=where or "127.0.0.1:2025", relay_hosts=hosts)


def _before(mail: RecordedMail) -> str:
    if mail.is_refused:
        return "refused" if mail.rule in ("none", "") else "refused after DATA"
    return _words(is_logged=mail.is_logged, is_relayed=mail.is_relayed)


def _words(*, is_logged: bool, is_relayed: bool) -> str:
    done = [word for word, said in (("logged", is_logged), ("relayed", is_relayed)) if said]
    return " and ".join(done) or "dropped"


def _is_same(before: str, after: str, mail: RecordedMail) -> bool:
    """Whether nothing changes, as far as the records tell.

    A report by which nobody failed has one record, relayed or not.
    """
    if mail.report is not None and mail.first.type == "Reception" and mail.is_logged:
        return before.split(" ", maxsplit=1)[0] == after.split(" ", maxsplit=1)[0]
    return before == after

"""Mail to relay on the broker: any worker takes it, tries, and says what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.broker import encoding
from kumo_handlers.queue.claim import Claim, Entry
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.queue.spool import domain_key

if TYPE_CHECKING:
    from kumo_handlers.queue.unit import Unit


class Letter(msgspec.Struct, frozen=True):
    """A message, and those of its recipients for whom there is no end yet."""

    mail: QueuedMail
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, mail: QueuedMail, *, may_be_known: bool = False) -> Letter:
        """A new one. ``may_be_known``: another worker may have sent the same."""
        ids = mail.facts.ids or (mail.id,) * len(mail.recipients)
        entries = [
            Entry(
                id=ids[position],
                position=position,
                address=recipient,
                domain=domain_key(recipient.rpartition("@")[2]),
                attempts=0,
                duplicates=int(may_be_known),
            )
            for position, recipient in enumerate(mail.recipients)
        ]
        return cls(mail, tuple(entries))

    def claim(self, *, is_redelivered: bool) -> Claim:
        """What a courier carries. Who had it before may have delivered it: that is counted."""
        mail = self.mail
        entries = (
            msgspec.structs.replace(entry, duplicates=entry.duplicates + is_redelivered)
            for entry in self.entries
        )
        return Claim(
            message=0,
            id=mail.id,
            reverse_path=mail.reverse_path,
            content=mail.content,
            created=mail.time,
            facts=mail.facts,
            entries=tuple(entries),
        )

    def after(self, unit: Unit) -> Letter | None:
        """What is left to do after an attempt came to ``unit``; None where nothing is."""
        by_position = {retry.entry.position: retry for retry in unit.retries}
        entries = tuple(
            msgspec.structs.replace(
                entry,
                attempts=by_position[entry.position].attempts,
                duplicates=by_position[entry.position].duplicates,
            )
            for entry in self.entries
            if entry.position in by_position
        )
        return Letter(self.mail, entries) if entries else None


def encoded(mail: QueuedMail, *more_than_once: bool) -> bytes:
    """A new letter, as it travels; labelled if for any reason it may be on the broker already."""
    return encoding.encode(Letter.of(mail, may_be_known=any(more_than_once)))

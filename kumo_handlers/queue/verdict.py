"""What an attempt means: the records to log, and what becomes of each entry. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.journal.record import PeerAddress, Record, RecordType, Response
from kumo_handlers.mail.reply import Reply, reply
from kumo_handlers.queue.notification import notification
from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.spool import EntryKey, Retry
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.queue.claim import Claim, Entry
    from kumo_handlers.queue.connection import Connection
    from kumo_handlers.queue.queued_mail import QueuedMail
    from kumo_handlers.queue.transaction import Result

_PERMANENT = range(500, 600)
_FAILED = (RecordType.BOUNCE, RecordType.EXPIRATION)
_UNSPECIFIED = "unspecified"  # KumoMTA's name for a pool or a source that nobody chose


class Server(msgspec.Struct, frozen=True):
    """Who was tried, as records show it; all empty, and no ``attempt``, where nobody was."""

    attempt: int = 0
    site: str = ""
    peer: PeerAddress | None = None
    fields: dict[str, Any] = {}

    @classmethod
    def of(cls, connection: Connection) -> Server:
        """The server at the other end of a connection."""
        fields: dict[str, Any] = {
            "delivery_protocol": connection.protocol,
            "session_id": connection.session_id,
            "source_address": connection.source or None,
            "egress_pool": _UNSPECIFIED,
            "egress_source": _UNSPECIFIED,
            **connection.tls,
        }
        destination = connection.destination
        return cls(1, destination.site, PeerAddress(destination.host, connection.peer), fields)


class Judge(msgspec.Struct, frozen=True):
    """Says what an attempt comes to. ``hostname`` is who tells senders of failures.

    ``classify`` gives the class of a reply, ``CODE ENHANCED TEXT``.
    """

    schedule: RetrySchedule
    classify: Callable[[str], str]
    hostname: str

    def conclude(self, claim: Claim, results: Sequence[Result], server: Server, now: float) -> Unit:
        """What an attempt at ``now`` comes to. All that wait get one delay, to go together again.

        ``now`` is in seconds since the epoch.
        """
        records: list[Record] = []
        retries = []
        waiting = max((each.entry.attempts for each in results), default=0) + 1
        due = now + self.schedule.delay(waiting)
        for result in results:
            attempted = self._attempted(claim, result, server, now)
            records.append(attempted)
            if attempted.type is not RecordType.TRANSIENT_FAILURE:
                continue
            if self.schedule.is_over(claim.created, due):
                meta = _meta(claim, result.entry, is_uncertain=result.is_uncertain)
                last = str(result.reply)
                records.append(_expiration(claim, result.entry, last, server, now, meta))
            else:
                retries.append(_retry(claim, result, due))
        waits = {retry.entry for retry in retries}
        keys = (claim.key(result.entry) for result in results)
        finished = tuple(key for key in keys if key not in waits)
        mails = self._notifications(claim, records, now)
        return Unit(records=tuple(records), finished=finished, retries=tuple(retries), mails=mails)

    def expire(self, claim: Claim, last: str, now: float) -> Unit:
        """The mail is too old, and nobody can be asked to take it."""
        records = tuple(
            _expiration(claim, entry, last, Server(), now, _meta(claim, entry))
            for entry in claim.entries
        )
        mails = self._notifications(claim, records, now)
        return Unit(records=records, finished=_keys(claim), mails=mails)

    def postpone(self, claim: Claim, unwritten: Unit, now: float) -> Unit:
        """What to write in place of a unit that cannot be: only that its entries wait.

        It holds numbers alone, so that nothing a relay said can stand in its way.
        """
        ended = set(unwritten.finished) | {retry.entry for retry in unwritten.retries}
        entries = [entry for entry in claim.entries if claim.key(entry) in ended]
        due = now + self.schedule.delay(max((each.attempts for each in entries), default=0) + 1)
        return Unit(retries=tuple(_waiting(claim, each, unwritten, due) for each in entries))

    def _attempted(self, claim: Claim, result: Result, server: Server, now: float) -> Record:
        answer = result.reply
        kind = _kind(answer)
        made = record(
            claim,
            result.entry,
            kind,
            Response.of(answer, result.command),
            server,
            now,
            _meta(claim, result.entry, is_uncertain=result.is_uncertain),
        )
        if kind is RecordType.DELIVERY:
            return made
        return msgspec.structs.replace(made, bounce_classification=self.classify(str(answer)))

    def _notifications(
        self, claim: Claim, records: Sequence[Record], now: float
    ) -> tuple[QueuedMail, ...]:
        failures = [each for each in records if each.type in _FAILED]
        told = notification(claim, failures, self.hostname, now)
        return () if told is None else (told,)


def drop(claim: Claim, now: float) -> Unit:
    """A person wants the mail gone: a Bounce, so that each message has one end; nobody is told."""
    answer = Response.of(reply(551, "5.7.0", "dropped by the administrator"))
    records = tuple(
        record(claim, entry, RecordType.BOUNCE, answer, Server(), now, _meta(claim, entry))
        for entry in claim.entries
    )
    return Unit(records=records, finished=_keys(claim))


def _keys(claim: Claim) -> tuple[EntryKey, ...]:
    return tuple(claim.key(entry) for entry in claim.entries)


def _retry(claim: Claim, result: Result, due: float) -> Retry:
    entry = result.entry
    return Retry(
        claim.key(entry),
        due,
        entry.attempts + 1,
        entry.duplicates + result.is_uncertain,
        str(result.reply),
    )


def _waiting(claim: Claim, entry: Entry, unwritten: Unit, due: float) -> Retry:
    """An entry whose end is not written. One that the relay has already may reach it twice."""
    key = claim.key(entry)
    noted = {retry.entry: retry.duplicates for retry in unwritten.retries}
    delivered = {each.recipient for each in unwritten.records if each.type is RecordType.DELIVERY}
    duplicates = noted.get(key, entry.duplicates + (entry.address in delivered))
    return Retry(key, due, entry.attempts + 1, duplicates, "unknown, it could not be written")


def record(
    claim: Claim,
    entry: Entry,
    kind: RecordType,
    response: Response,
    server: Server,
    now: float,
    meta: dict[str, Any],
) -> Record:
    """A record about one recipient. ``num_attempts`` counts this attempt."""
    facts = claim.facts
    return Record(
        type=kind,
        id=entry.id,
        sender=claim.reverse_path,
        recipient=entry.address,
        queue=entry.domain,
        site=server.site,
        size=len(claim.content),
        response=response,
        peer_address=server.peer,
        timestamp=int(now),
        event_time=now,
        created=int(claim.created),
        created_time=claim.created,
        num_attempts=entry.attempts + server.attempt,
        meta=meta,
        headers=facts.headers,
        reception_protocol=facts.reception_protocol,
        nodeid=facts.nodeid,
        **server.fields,
    )


def _kind(answer: Reply) -> RecordType:
    if answer.accepts:
        return RecordType.DELIVERY
    return RecordType.BOUNCE if answer.code in _PERMANENT else RecordType.TRANSIENT_FAILURE


def _expiration(
    claim: Claim, entry: Entry, last: str, server: Server, now: float, meta: dict[str, Any]
) -> Record:
    days = (now - claim.created) / 86_400
    text = f"not delivered after {days:.1f} days; the last answer was: {last or 'none'}"
    answer = Response.of(reply(551, "5.4.7", text))  # RFC 3463, 4.4.7: delivery time expired
    return record(claim, entry, RecordType.EXPIRATION, answer, server, now, meta)


def _meta(claim: Claim, entry: Entry, *, is_uncertain: bool = False) -> dict[str, Any]:
    """What came with the mail, and honestly what we do not know.

    ``possible_duplicates`` counts earlier attempts that may have delivered it;
    ``possibly_delivered`` says that this one may have.
    """
    meta = dict(claim.facts.meta)
    if entry.duplicates:
        meta["possible_duplicates"] = entry.duplicates
    if is_uncertain:
        meta["possibly_delivered"] = True
    return meta

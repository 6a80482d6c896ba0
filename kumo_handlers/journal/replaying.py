"""Kept messages, read again: what a newer version makes of them is logged, once.

The folder holds bare messages; who sent them, to whom and when is in the records that were
written when they came, so those are looked up. A message whose record is gone says it itself, as
far as it can. What is understood now is logged and leaves the folder, in that order: if the
second does not happen, the records' keys keep the first from happening twice.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.errors import AddressError
from kumo_handlers.journal import stored_mail
from kumo_handlers.journal.record import Arrival, Record
from kumo_handlers.journal.reporting import records
from kumo_handlers.mail import address, octets
from kumo_handlers.mail.address import NULL
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.reports import cascade
from kumo_handlers.reports.report import Unreadable
from kumo_handlers.reports.trace import NO_KEYS, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kumo_handlers.mail.address import Address
    from kumo_handlers.reports.classification import Classifier

_KEPT = b'"kept":"'


class Replayed(msgspec.Struct, frozen=True):
    """One kept message: what was logged about it now; nothing where it stays, and why."""

    name: str
    logged: tuple[Record, ...] = ()
    reason: str = ""


def replay(
    folder: Path,
    arrivals: Mapping[str, Arrival],
    classifier: Classifier,
    log: Callable[[tuple[Record, ...]], None],
    keys: Keys = NO_KEYS,
) -> Iterator[Replayed]:
    """Each message of ``folder``, by name. ``log`` returns when its records are durable.

    ``arrivals`` are known by the message's file name. Raises what ``log`` raises, and OSError.
    """
    for path in sorted(folder.glob("[!.]*.eml")):
        content = path.read_bytes()
        arrival = arrivals.get(path.name) or _unrecorded(path, content)
        report = cascade.read(
            content, reverse_path=str(arrival.reverse_path), keys=keys, now=arrival.time
        )
        if report is None:
            yield Replayed(path.name, reason="neither a bounce nor a complaint any more")
        elif isinstance(report, Unreadable):
            yield Replayed(path.name, reason=report.reason)
        else:
            logged = records(arrival, report, content, classifier)
            log(logged)
            path.unlink()
            yield Replayed(path.name, logged)


def recorded_arrivals(log_folder: Path) -> dict[str, Arrival]:
    """How each kept message arrived, by the name of its file, from the segments of the log."""
    found: dict[str, Arrival] = {}
    for segment in sorted(log_folder.glob("*.jsonl")):
        with segment.open("rb") as lines:
            for line in lines:
                if _KEPT in line:
                    found.update(_recorded(line))
    return found


def _recorded(line: bytes) -> dict[str, Arrival]:
    """The arrival that one record tells of; none where the line is torn, or tells of another."""
    with suppress(msgspec.DecodeError, KeyError, TypeError, AddressError):
        record = msgspec.json.decode(line)
        return {record["report"]["kept"]: _arrival(record)}
    return {}


def _arrival(record: Mapping[str, Any]) -> Arrival:
    peer = record["peer_address"] or {"name": "", "addr": ""}
    session = Session(
        id=record["session_id"] or "",
        peer=Peer(peer["addr"]),
        client_name=peer["name"],
        protocol=record["reception_protocol"] or "",
    )
    return Arrival(
        id=record["id"],
        session=session,
        reverse_path=_address(record["sender"]),
        forward_path=_address(record["recipient"]),
        size=record["size"],
        time=record["created_time"],
        nodeid=record["nodeid"],
        meta=record["meta"],
        headers=record["headers"],
    )


def _address(text: object) -> Address:
    """An address as a record has it: bytes that are not UTF-8 are a list of numbers."""
    if isinstance(text, list):
        text = octets.to_text(bytes(text))
    return address.parse(text) if isinstance(text, str) else NULL


def _unrecorded(path: Path, content: bytes) -> Arrival:
    """What the message itself says; it came when its file was written."""
    arrival = stored_mail.arrival(content, path.stat().st_mtime)
    return msgspec.structs.replace(arrival, id=path.stem)

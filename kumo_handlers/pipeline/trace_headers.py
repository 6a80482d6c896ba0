"""What stands on top of a relayed message: Received, and the header that a report is traced by.

Nothing else is touched: signatures of others stay good.
"""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kumo_handlers.mail import octets
from kumo_handlers.reports import trace

if TYPE_CHECKING:
    from kumo_handlers.journal.record import Arrival
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.reports.trace import Keys

_RECEIVED = b"received:"
# RFC 5321, 6.3: a large number of Received fields, at least 100, is a loop.
MAX_HOPS = 100
_LONGEST_NAMED = 900


def make(
    arrival: Arrival,
    listener: Listener,
    keys: Keys = trace.NO_KEYS,
    transaction: str | None = None,
) -> bytes:
    """The headers that ``listener`` adds to a copy, CRLF line ends.

    They name the recipient, but where several share the copy: then ``transaction`` says which
    message it is.
    """
    recipient = arrival.forward_path.as_received() if transaction is None else None
    wanted = listener.trace_headers
    headers = _received(arrival, recipient) if wanted.received_header else ""
    if wanted.supplemental_header:
        meta = _named(arrival, wanted.include_meta_names)
        if transaction is not None:
            meta["transaction"] = transaction
        value = trace.make(recipient, meta, keys, now=arrival.time)
        headers += f"{wanted.header_name}: {value}\r\n"
    return octets.of_text(headers)


def _named(arrival: Arrival, names: frozenset[str]) -> dict[str, Any]:
    """The metadata that go into the header."""
    if not names:
        return {}
    known = arrival.session.meta | arrival.meta
    return {name: value for name, value in known.items() if name in names}


def _received(arrival: Arrival, recipient: str | None) -> str:
    """RFC 5321, 4.4. The recipient is named where the copy is its own."""
    session = arrival.session
    name = session.client_name or "unknown"
    # RFC 5322, 2.1.1: a line has at most 998 characters; the clause may be left out
    named = f"\r\n\tfor <{recipient}>" if recipient and len(recipient) < _LONGEST_NAMED else ""
    return (
        f"Received: from {name} ([{_literal(session.peer.host)}])\r\n"
        f"\tby {session.hostname} (kumo_handlers) with {session.protocol} id {arrival.id}"
        f"{named}; {_date(int(arrival.time))}\r\n"
    )


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    """The date as RFC 5322, 3.3 writes it: the same for all that comes in one second."""
    return formatdate(second)


def _literal(host: str) -> str:
    """An IP as RFC 5321, 4.1.3 writes it in brackets."""
    return f"IPv6:{host}" if ":" in host else host or "unknown"


def is_looping(content: bytes) -> bool:
    """Whether the message went through too many servers to be going anywhere."""
    end = 0 if content.startswith(b"\r\n") else content.find(b"\r\n\r\n")
    size = end if end >= 0 else len(content)
    # A message seldom has ten of them: the count is only made where there is much to count.
    if size < MAX_HOPS * len(_RECEIVED):
        return False
    lines = b"\r\n" + content[:size].lower()
    return lines.count(b"\r\n" + _RECEIVED) >= MAX_HOPS

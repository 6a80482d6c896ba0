"""A message that comes from a file and not from a session: what can be known about its arrival.

Its own headers are asked: what the delivering MTA wrote on top (Return-Path, RFC 5321, 4.4;
Delivered-To and X-Original-To, which are in use), then whom it is addressed to. Envelope and
peer are otherwise empty; nothing is guessed.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from kumo_handlers.errors import AddressError
from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail import address
from kumo_handlers.mail.address import NULL, Address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.reports import header_fields, parts

_ADDRESS = re.compile(r"<([^<>\s]*)>|([^\s<>,;:\"]+@[^\s<>,;:\"]+)")
_RECIPIENT_FIELDS = (b"delivered-to", b"x-original-to", b"to")
_FIELDS = header_fields.pattern(b"return-path", *_RECIPIENT_FIELDS)
_FILE = Session(id="", peer=Peer(""), hostname="", protocol="file")


def arrival(content: bytes, time: float) -> Arrival:
    """What stands for the arrival of ``content``, read at ``time``. Its id is a hash of it."""
    block = content[: parts.header_end(content, 0, len(content))[0]]
    fields = header_fields.firsts(block, _FIELDS)
    found = (_address(fields[name]) for name in _RECIPIENT_FIELDS if name in fields)
    return Arrival(
        id=blake2b(content, digest_size=16).hexdigest(),
        session=_FILE,
        reverse_path=_address(fields[b"return-path"]) if b"return-path" in fields else NULL,
        forward_path=next((each for each in found if not each.is_null), NULL),
        size=len(content),
        time=time,
    )


def _address(field: str) -> Address:
    found = _ADDRESS.search(field)
    if found is None:
        return NULL
    try:
        return address.parse(found[1] or found[2] or "")
    except AddressError:
        return NULL

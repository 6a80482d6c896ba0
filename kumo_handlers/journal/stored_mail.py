"""A message that comes from a file and not from a session: what can be known about its arrival.

Its own headers are asked: what the delivering MTA wrote on top (Return-Path, RFC 5321, 4.4;
Delivered-To and X-Original-To, which are in use), then whom it is addressed to. Envelope and
peer are otherwise empty; nothing is guessed.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from kumo_handlers.errors import AddressError
from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail import address
from kumo_handlers.mail.address import NULL, Address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.reports import header_fields

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

_ADDRESS = re.compile(r"<([^<>\s]*)>|([^\s<>,;:\"]+@[^\s<>,;:\"]+)")
_RECIPIENT_FIELDS = (b"delivered-to", b"x-original-to", b"to")
_FILE = Session(id="", peer=Peer(""), hostname="", protocol="file")


def arrival(message: mime.Message, time: float) -> Arrival:
    """What stands for the arrival of ``message``, read at ``time``. Its id is a hash of it."""
    block = message.root.header_block
    lowered = block.lower()
    fields = (_address(header_fields.first(block, lowered, name)) for name in _RECIPIENT_FIELDS)
    return Arrival(
        id=blake2b(message.content, digest_size=16).hexdigest(),
        session=_FILE,
        reverse_path=_address(message.header("return-path")),
        forward_path=next((found for found in fields if not found.is_null), NULL),
        size=len(message.content),
        time=time,
    )


def reverse_path(message: mime.Message) -> str | None:
    """The Return-Path, None where nobody wrote one: an empty one is the null reverse-path."""
    field = message.header("return-path")
    return None if field is None else str(_address(field))


def _address(field: str | None) -> Address:
    found = _ADDRESS.search(field or "")
    if found is None:
        return NULL
    try:
        return address.parse(found[1] or found[2] or "")
    except AddressError:
        return NULL

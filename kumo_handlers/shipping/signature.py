"""How a batch is signed, so that its receiver knows who sent it, and when."""

from __future__ import annotations

import hmac
from hashlib import sha256


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """``sha256=`` and the HMAC (RFC 2104), in hex, of the timestamp, a full stop and the body.

    ``timestamp`` is in seconds since the epoch. It is signed too, so that what was overheard
    cannot be sent again later.
    """
    signed = b"%d." % timestamp + body
    return f"sha256={hmac.new(secret.encode(), signed, sha256).hexdigest()}"

r"""The trace header: what we wrote into a message on its way out, found again in its report.

KumoMTA calls it the supplemental header: any ``X-…`` field whose value is base64 JSON with
``"_@_": "\\_/"`` in it. Its shape is kept, so that either side reads the other's. Anybody could
write one, therefore ours can be signed: HMAC-SHA256 (RFC 2104) over the content in canonical form
(keys sorted, no blanks), the key's name and the time inside, so that keys can be replaced while
mail signed with the old one is still under way.

Pure: keys and the clock are arguments. What is read is bounded in number and in size.
"""

from __future__ import annotations

import binascii
import hmac
import re
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.reports.report import TraceTrust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARKER, MARK = "_@_", "\\_/"
SIGNATURE = "_sig_"
# A header field of ours is folded, so the line limit does not bind; these do.
MAX_ENCODED = 16_384
MAX_CANDIDATES = 8
# RFC 2104, 3: a key shorter than the hash is discouraged; half of it is where we refuse.
MIN_SECRET = 16
DEFAULT_MAX_AGE = 30 * 86_400.0
# Two of our own hosts may disagree about the time.
CLOCK_SKEW = 300.0
_LINE = 72
# "e" is how the base64 of "{" begins.
_LIKELY = re.compile(rb"\n[Xx]-[^\s:]*+[ \t]*+:\s*+e")


class Key(msgspec.Struct, frozen=True):
    """One secret and the name it goes by in the header."""

    id: str
    secret: bytes

    def sign(self, content: bytes) -> str:
        """HMAC-SHA256 of ``content``, in hexadecimal."""
        return hmac.digest(self.secret, content, "sha256").hex()


class Keys(msgspec.Struct, frozen=True):
    """The keys that are trusted; the first one signs. ``max_age`` is in seconds."""

    known: tuple[Key, ...] = ()
    max_age: float = DEFAULT_MAX_AGE

    @classmethod
    def read(cls, secrets: Mapping[str, str], max_age: float = DEFAULT_MAX_AGE) -> Keys:
        """Keys as settings have them, name to secret, the one that signs first.

        Raises `ConfigurationError` with every key that cannot be used.
        """
        problems = [
            Problem(
                message="the key is too short to sign with",
                option=f"trace key {name!r}",
                value=f"{len(secret.encode())} bytes",
                expected=f"{MIN_SECRET} bytes or more",
            )
            for name, secret in secrets.items()
            if len(secret.encode()) < MIN_SECRET
        ]
        if problems:
            raise ConfigurationError(problems)
        return cls(tuple(Key(name, text.encode()) for name, text in secrets.items()), max_age)

    def named(self, name: object) -> Key | None:
        """The key of that name."""
        return next((key for key in self.known if key.id == name), None)


NO_KEYS = Keys()
Trace = tuple[dict[str, Any] | None, TraceTrust | None]


def make(
    recipient: str | None, metadata: Mapping[str, object], keys: Keys = NO_KEYS, now: float = 0.0
) -> str:
    """The header field's value for one message, folded (RFC 5322, 2.2.3), signed with a key.

    ``now`` is in seconds since the epoch. ``recipient`` is None where several share the message.
    Metadata cannot replace ``recipient``, nor our own
    names. Where it does not fit in `MAX_ENCODED`, or JSON cannot hold it, the recipient goes
    alone: a message is never held up by its trace.
    """
    try:
        value = _encoded(_content(recipient, metadata), keys, now)
    except (UnicodeEncodeError, RecursionError):
        value = ""
    if not 0 < len(value) <= MAX_ENCODED:
        plain = recipient and recipient.encode("utf-8", "replace").decode()
        value = _encoded(_content(plain, {}), keys, now)
    if len(value) <= _LINE:
        return value
    return "\r\n\t".join([value[start : start + _LINE] for start in range(0, len(value), _LINE)])


def find(headers: Iterable[tuple[str, str]], keys: Keys = NO_KEYS, now: float = 0.0) -> Trace:
    """The trace among the returned message's header fields, and what it is worth.

    The first that is signed by a key of ours, else the first. ``(None, None)`` where there is
    none. Without keys nothing can be verified, and all is `TraceTrust.UNSIGNED`.
    """
    first: Trace = (None, None)
    for content in _candidates(headers):
        trust = _trust(content, keys, now)
        found = {name: value for name, value in content.items() if name not in (MARKER, SIGNATURE)}
        if trust is TraceTrust.SIGNED:
            return found, trust
        if first[0] is None:
            first = found, trust
    return first


def may_stand_in(block: bytes) -> bool:
    """Whether a header block has a field that `find` would look into: most have none."""
    if _LIKELY.search(b"\n" + block):
        return True
    # A CR alone ends a line as well (`header_fields.lines`).
    return block.find(b"\rX-") >= 0 or block.find(b"\rx-") >= 0


def _content(recipient: str | None, metadata: Mapping[str, object]) -> dict[str, object]:
    content: dict[str, object] = {MARKER: MARK, **metadata}
    content[MARKER] = MARK
    content["recipient"] = recipient
    if recipient is None:
        del content["recipient"]
    return content


def _encoded(content: dict[str, object], keys: Keys, now: float) -> str:
    content.pop(SIGNATURE, None)
    if keys.known:
        key = keys.known[0]
        signature: dict[str, object] = {"key": key.id, "time": int(now)}
        content[SIGNATURE] = signature
        signature["hmac"] = key.sign(_canonical(content))
    return encode(content)


def encode(content: Mapping[str, object]) -> str:
    """The base64 of ``content``, as it is."""
    return binascii.b2a_base64(_plain.encode(content), newline=False).decode("ascii")


def _readable(value: object) -> str:
    """What JSON has no word for (a Lua value, a path) is written as its text."""
    return str(value)


_plain = msgspec.json.Encoder(enc_hook=_readable)
_sorted = msgspec.json.Encoder(enc_hook=_readable, order="sorted")


def _canonical(content: Mapping[str, object]) -> bytes:
    """What is signed: all of the content but the HMAC itself, in one spelling."""
    signature = content[SIGNATURE]
    said = dict(signature) if isinstance(signature, dict) else {}
    said.pop("hmac", None)
    return _sorted.encode(msgspec.to_builtins({**content, SIGNATURE: said}, enc_hook=_readable))


def _candidates(headers: Iterable[tuple[str, str]]) -> Iterable[dict[str, Any]]:
    """Each field that looks like ours, decoded; at most `MAX_CANDIDATES` are looked into."""
    tried = 0
    for name, value in headers:
        # Nearly every other field ends here.
        if name[:2] not in ("X-", "x-") or not value.lstrip().startswith("e"):
            continue
        tried += 1
        if tried > MAX_CANDIDATES:
            return
        if (content := decode(value)) is not None:
            yield content


def decode(value: str) -> dict[str, Any] | None:
    """All that a header field's value holds, marker and signature too; None if it is not ours."""
    encoded = "".join(value.split())
    if len(encoded) > MAX_ENCODED:
        return None
    try:
        content = msgspec.json.decode(binascii.a2b_base64(encoded, strict_mode=True))
    except (ValueError, RecursionError):
        return None
    ours = isinstance(content, dict) and content.get(MARKER) == MARK
    return content if ours else None


def _trust(content: Mapping[str, Any], keys: Keys, now: float) -> TraceTrust:
    signature = content.get(SIGNATURE)
    if not keys.known or not isinstance(signature, dict):
        return TraceTrust.UNSIGNED
    key = keys.named(signature.get("key"))
    claimed, time = signature.get("hmac"), signature.get("time")
    if key is None or not isinstance(claimed, str) or not isinstance(time, int):
        return TraceTrust.BAD_SIGNATURE
    if not hmac.compare_digest(key.sign(_canonical(content)).encode(), claimed.encode()):
        return TraceTrust.BAD_SIGNATURE
    if -CLOCK_SKEW <= now - time <= keys.max_age:
        return TraceTrust.SIGNED
    return TraceTrust.EXPIRED

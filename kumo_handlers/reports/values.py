"""Values of report fields: typed ones, addresses, actions, statuses (RFC 3464, 2.1.2 and 2.3).

What is not as the RFC has it is read for what it means, and said in ``remarks``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports import encoding
from kumo_handlers.reports.fields import remark
from kumo_handlers.reports.report import Action, Typed

_TYPED = re.compile(r"([A-Za-z0-9][\w./+-]*+)[ \t]*+;[ \t]*+(.*+)", re.DOTALL)
# An address as it should be: nothing to take off it.
_BARE = re.compile(r"(?!')[^\s<>()\",;:=\\]++")
# The type once more, or with something else than a semicolon behind it.
_TYPE_AGAIN = re.compile(
    r"(?:rfc[-/ ]?822|smtp|mailto)(?:[ \t]*+[;:]|[ \t])[ \t]*+(?=[^\s@]++@)", re.IGNORECASE
)
_ANGLE = re.compile(r"<([^<>]*+)>")
_COMMENT = re.compile(r"\([^()]*+\)")
_ROUTE = re.compile(r"@[^\s@:\"]+(?:,@[^\s@:\"]+)*:(?=.*@)")
# RFC 6533, 3: a code point outside of ASCII in an address of type utf-8.
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_UNICODE_END = 0x110000
# RFC 3461, 4: what an address is written in behind ORCPT=.
_XTEXT = re.compile(r"\+([2-7][0-9A-F])")
_SURROGATES = range(0xD800, 0xE000)

_ACTIONS = {action.value: action for action in Action} | {
    # Not in RFC 3464, and in use.
    **dict.fromkeys(("failure", "fail", "error", "expired", "rejected", "bounced"), Action.FAILED),
    **dict.fromkeys(("undeliverable", "undelivered", "denied", "dropped"), Action.FAILED),
    **dict.fromkeys(("delay", "deferred", "queued", "retry", "retrying"), Action.DELAYED),
    **dict.fromkeys(("retried", "transient", "warning", "pending"), Action.DELAYED),
    **dict.fromkeys(("deliverable", "success", "delivery", "sent", "ok"), Action.DELIVERED),
    **dict.fromkeys(("relay", "forwarded"), Action.RELAYED),
}
_WORD = re.compile(r"[A-Za-z]++")

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
# In prose: no part of an IP address or of a version number.
_STATUS_IN_TEXT = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"[^\w<]{0,3}([245]\d\d)(?![\w.])")
_CODE_IN_TEXT = re.compile(r"(?<![\w.])([45][0-5]\d)(?=[ -](?:[#(]{0,2}[45]\.|[^\s\d.]))")
_MAX_ADDRESS = 2000
_MAX_ACTION = 100
_MAX_STATUS = 100
# The reason stands at the beginning of a diagnostic, however long it is.
_MAX_DIAGNOSTIC = 4000


def typed(text: str) -> Typed:
    """``TYPE; VALUE``. The type is lower case, and empty where there is none."""
    kind, semicolon, value = text.partition(";")
    if semicolon and kind.isalnum():
        return Typed(kind.lower(), value.strip())
    found = _TYPED.match(text)
    return Typed(found[1].lower(), found[2].strip()) if found else Typed("", text.strip())


def typed_or_none(text: str | None) -> Typed | None:
    """The same for a field that may be missing or empty."""
    return typed(text) if text else None


def recipient(text: str, remarks: list[str]) -> Typed:
    """Final-Recipient or Original-Recipient (RFC 3464, 2.3.1 and 2.3.2), its address bare."""
    field = typed(text)
    if not field.type:
        remark(remarks, "a recipient without address type")
    if _BARE.fullmatch(field.value) and "\\" not in field.value:
        return field
    value = _unitext(field.value) if field.type == "utf-8" else field.value
    value = address(value)
    if value != field.value and field.type != "utf-8":
        remark(remarks, "more than the address in a recipient field")
    return Typed(field.type, value)


def address(text: str) -> str:
    """The bare address in a field that may also hold brackets, comments, a name, a route.

    What is no internet address (X.400, a pipe, a local name) stays as it is.
    """
    text = encoding.words(text.strip()[:_MAX_ADDRESS])
    if "(" in text and not text.startswith('"'):
        # First, for it may hold another address: ``(expanded from: <list@example.com>)``.
        text = _COMMENT.sub("", text).strip() or text
    found = _ANGLE.search(text)
    text = found[1].strip() if found else _without_ends(text)
    if again := _TYPE_AGAIN.match(text):
        text = text[again.end() :]
    if text.startswith("@"):
        # RFC 5321, appendix C: a source route is read and set aside.
        text = _ROUTE.sub("", text, count=1)
    if text[:1] == text[-1:] and text[:1] in ("'", '"') and "@" in text:
        text = text[1:-1]
    return text


def as_final(original: Typed, final: Typed, remarks: list[str]) -> Typed:
    """Original-Recipient, without xtext where Final-Recipient shows that it is in it.

    QUIRK: some copy ORCPT as it came (RFC 3461, 4.2). Alone, ``ann+2Bnews@example.com`` may be
    what it says.
    """
    if original.value == final.value or "+" not in original.value:
        return original
    decoded = _XTEXT.sub(lambda found: chr(int(found[1], 16)), original.value)
    if decoded == original.value or decoded.lower() != final.value.lower():
        return original
    remark(remarks, "an Original-Recipient in xtext")
    return Typed(original.type, decoded)


def _without_ends(text: str) -> str:
    """An address without half a pair of brackets, and without what parts it from another."""
    return text.rstrip(";,>").removeprefix("<").strip() if "@" in text else text


def _unitext(text: str) -> str:
    return _UNITEXT.sub(_code_point, text)


def _code_point(found: re.Match[str]) -> str:
    point = int(found[1], 16)
    return found[0] if point >= _UNICODE_END or point in _SURROGATES else chr(point)


def action(text: str, remarks: list[str]) -> Action | None:
    """The Action, None for a word that nobody knows (RFC 3464, 2.3.3)."""
    known = _ACTIONS.get(text.lower())
    if known is not None and known == text.lower():
        return known
    known = _meant(text[:_MAX_ACTION])
    remark(remarks, f"the action {text[:40]!r} {'is unknown' if known is None else f'is {known}'}")
    return known


def _meant(text: str) -> Action | None:
    """The first word decides; but ``delivery failed`` is a failure, ``not delivered`` unknown."""
    words = _WORD.findall(text.partition("(")[0] or text)
    known = [_ACTIONS.get(word.lower()) for word in words]
    not_reached = (each for each in known if each in (Action.FAILED, Action.DELAYED))
    return next(not_reached, known[0] if known else None)


def status(text: str, remarks: list[str]) -> EnhancedStatusCode | None:
    """The Status (RFC 3464, 2.3.4), None where there is no ``x.y.z`` in it."""
    found = _status(text[:_MAX_STATUS])
    if found is None:
        remark(remarks, f"the status {text[:40]!r} was ignored")
    elif len(text) > len("5.999.999") or not text[-1:].isdigit() or not text[:1].isdigit():
        remark(remarks, "a comment in a status")
    return found


@lru_cache(maxsize=1024)
def _status(text: str) -> EnhancedStatusCode | None:
    """Cached: the same few dozen stand in nearly all reports."""
    found = _STATUS.search(text)
    return EnhancedStatusCode(int(found[1]), int(found[2]), int(found[3])) if found else None


def status_in(text: str) -> EnhancedStatusCode | None:
    """The first enhanced status code in the text of a diagnostic."""
    found = _STATUS_IN_TEXT.search(text, 0, _MAX_DIAGNOSTIC)
    return EnhancedStatusCode(int(found[1]), int(found[2]), int(found[3])) if found else None


def reply_code_in(text: str) -> int | None:
    """The SMTP reply code in a diagnostic: at its beginning, else the first that looks like one."""
    found = _CODE.match(text) or _CODE_IN_TEXT.search(text, 0, _MAX_DIAGNOSTIC)
    return int(found[1]) if found else None

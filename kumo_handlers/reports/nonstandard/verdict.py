"""What the notice says of one recipient: the reply, the status, and what had to be concluded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports.nonstandard import addresses, openings, reasons
from kumo_handlers.reports.report import Action, RecipientStatus, Typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.reports.nonstandard.notice import Notice
    from kumo_handlers.reports.nonstandard.recipients import Found

MAX_DIAGNOSTIC = 1000
_SECTION_LINES = 40
_PERMANENT = 500  # RFC 5321, 4.2.1: replies from here on are final
# Each is looked for in every line, so hostile lists are not.
_MAX_SEARCHED = 30

# 550 5.1.1, 550-5.1.1, 550 #5.1.0: both at once; the reply code of RFC 5321, 4.2.
_BOTH = re.compile(
    r"(?<![\w.@-])([45]\d\d)[ -]{1,3}(?:[45]\d\d )?[#(]{0,2}([45]\.[0-7]\.\d{1,3})(?![\d.]\d)"
)
_STATUS = re.compile(r"(?<![\d.\w@-])#?([45]\.[0-7]\.\d{1,3})(?![\d.]*\.?\d)")
_CODE = re.compile(
    r"(?:^|(?<=[\s:;('\"<#]))([45][0-5]\d)(?=[ -](?:[a-z<\"'#(-]|[45]\.\d|$)|$)|"
    r"(?:responsecode|error code|smtp code|code|reply|status|state)[ :=]{1,3}([45][0-5]\d)(?!\d)",
    re.IGNORECASE,
)


# Reports of success, which Postfix gives in the words of its failures.
_ACCEPTED = re.compile(r": 25[01][ -](?:2\.\d\.\d|ok|requested|message|queued|accepted)")


def on(notice: Notice, found: Found, others: Sequence[Found], action: Action) -> RecipientStatus:
    """The recipient's group, as a delivery-status part would have said it."""
    section = _section(notice, found, others)
    if _is_silent(section) and len({each.address for each in others}) == 1:
        section = _of_unreached(notice)
    elif _is_silent(section) and len(others) <= _MAX_SEARCHED:
        # First the list of those that failed, then what was said to each, or once to all.
        section += _elsewhere(notice, found, others) or _shared(notice, found, others)
    code, status, line = _codes(section)
    inferred = ["action"]
    folded = openings.fold(" ".join(section))
    if code is None and status is None and _ACCEPTED.search(folded):
        action = Action.DELIVERED
    if status is None or (_is_general(status) and "service unavailable" in folded):
        # QUIRK: sendmail closes each transcript with "554 5.0.0 Service unavailable".
        status = reasons.status_of(_reply(section, line, code) or folded, code, action)
        if code is None and _is_general(status):
            # The reason is given once, before those it is about.
            status = reasons.status_of(_announcement(notice, others), None, action)
        inferred.append("status")
    return RecipientStatus(
        final_recipient=Typed("rfc822", found.address),
        action=action,
        status=status,
        reply_code=code,
        diagnostic_code=_diagnostic(section, line, code),
        inferred=("final_recipient", *inferred) if found.remark else tuple(inferred),
    )


def _announcement(notice: Notice, found: Sequence[Found]) -> str:
    """What stands before the first recipient."""
    first = max(min(each.line for each in found), 0)
    return openings.fold(" ".join(line for line in notice.lines[:first] if line))


def _is_general(status: EnhancedStatusCode) -> bool:
    return status.subject == 0 and status.detail == 0


def _section(notice: Notice, found: Found, others: Sequence[Found]) -> list[str]:
    """The lines from the recipient's own to the next recipient's."""
    if found.line < 0:
        return _of_unreached(notice)
    ends = (*(each.line for each in others), *notice.reached)
    end = min((line for line in ends if line > found.line), default=len(notice.lines))
    end = min(end, found.line + _SECTION_LINES)
    return [line for line in notice.lines[found.line : end] if line]


def _of_unreached(notice: Notice) -> list[str]:
    """All that the notice says, but of those who were reached."""
    lines = enumerate(notice.lines)
    return [line for index, line in lines if line and index not in notice.reached]


def _elsewhere(notice: Notice, found: Found, others: Sequence[Found]) -> list[str]:
    """The lines behind that name it again, each with what follows up to another recipient."""
    wanted = found.address.lower()
    rest = {each.address.lower() for each in others} - {wanted}
    lines: list[str] = []
    is_about = False
    for line in notice.lines[max(found.line, 0) + 1 :]:
        folded = line.lower()
        if wanted in folded:
            is_about = True
        elif is_about and "@" in line and any(other in folded for other in rest):
            is_about = False
        if is_about and line:
            lines.append(line)
    return lines[:_SECTION_LINES]


def _shared(notice: Notice, found: Found, others: Sequence[Found]) -> list[str]:
    """What is said of the next recipient, where of this one there is the address and no word.

    Exim among others says once why, below all those of whom it is true.
    """
    behind = (each for each in others if each.line >= found.line >= 0)
    for each in sorted(behind, key=lambda each: each.line):
        section = _section(notice, each, others)
        if any(map(_has_words, section)):
            return section if each.line > found.line else []
    return []


def _has_words(line: str) -> bool:
    """Whether a line says more than whom it is about."""
    return any(map(str.isalpha, addresses.ADDRESS.sub("", line)))


def _is_silent(section: list[str]) -> bool:
    """Whether the section gives neither a code nor a status."""
    code, status, _ = _codes(section)
    return code is None and status is None


def _codes(section: list[str]) -> tuple[int | None, EnhancedStatusCode | None, int]:
    """The reply code, the enhanced status, and the index of the line where the first stands.

    Both at once, as a reply has them, is worth more than either alone further up.
    """
    for index, line in enumerate(section):
        if (both := _BOTH.search(line)) and not both[2].endswith(".0.0"):
            return int(both[1]), EnhancedStatusCode.find(both[2]), index
    code, status, at = None, None, -1
    for index, line in enumerate(section):
        if code is None and (match := _CODE.search(line)):
            code = int(match[1] or match[2])
            at = index if at < 0 else at
        if status is None and (match := _STATUS.search(line)):
            status = EnhancedStatusCode.find(match[1])
            at = index if at < 0 else at
    return code, status, at


def _reply(section: list[str], line: int, code: int | None) -> str:
    """The line with the reply code, where its words give the reason; "" for none.

    What stands around it may speak of every other reason there is. A transient reply and a bare
    "Service unavailable" are what was tried; the reason for giving up stands beside them.
    """
    if line < 0 or (code or 0) < _PERMANENT:
        return ""
    folded = openings.fold(section[line])
    return folded if reasons.is_reason(folded) and "service unavailable" not in folded else ""


def _diagnostic(section: list[str], line: int, code: int | None) -> Typed | None:
    """The reply as text, from the line where its code stands to the end of the paragraph."""
    if line < 0:
        return None
    text = " ".join(section[line : line + 4])[:MAX_DIAGNOSTIC]
    return Typed("smtp" if code is not None else "", text)

"""What flufl.bounce recognises: two decades of shapes met by mailing lists.

It answers with addresses only; status and reply are read from the notice around them. It is slow
on ordinary mail and may raise on odd mail, so it sees only what is already believed to be a
bounce, cut before the returned message, and what it answers has to stand in the notice.
"""

from __future__ import annotations

import email
import logging
import re
from typing import TYPE_CHECKING, Any

from kumo_handlers.reports.nonstandard import addresses, evidence, recipients, text
from kumo_handlers.reports.nonstandard.notice import MAX_TEXT, Notice
from kumo_handlers.reports.nonstandard.recipients import Found
from kumo_handlers.reports.report import DSN, Source

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

MAX_LINES = 500
MAX_LINE = 500
MAX_BRACKETS = 10

# ``(generated from ann@example.com)``: whom the sender wrote to, an alias of whom failed.
_ORIGIN = re.compile(
    r"\W{0,4}(?:(?:ultimately )?generated (?:from|by)|expanded from)\b", re.IGNORECASE
)
_NO_MAILBOX = re.compile(r"\W{0,3}(?:pipe to |save to |[|/])", re.IGNORECASE)
_ENTRY_LINES = 6
# It logs each of its detectors, and each of their failures, at a rate of seventeen a message.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


def prepare() -> Any:  # noqa: ANN401 - flufl.bounce ships no types
    """flufl.bounce, imported when it is first wanted: it compiles its hundreds of expressions."""
    import flufl.bounce  # noqa: PLC0415 - a good part of a start would be spent here

    return flufl.bounce


def read(message: mime.Message) -> DSN | None:
    """The bounce flufl.bounce sees in it; None where it sees none, or nothing plausible."""
    if not evidence.is_worth_reading(message):
        return None
    notice = Notice(message)
    return read_notice(notice) if evidence.is_believed(message, notice) else None


def read_notice(notice: Notice) -> DSN | None:
    """The same, for a notice that is known to be one."""
    named = [address for address in sorted(_answer(notice)) if address]
    found = [each for address in named if (each := _plausible(notice, address))]
    if not found or len(found) != len(named):
        # An answer that is partly implausible is a pattern that met what it was not made for.
        return None
    found = [each for each in found if each.line not in notice.reached]
    if not found or _misses_one(notice, found):
        return None
    found = [each for each in found if not _is_origin(notice.lines, each, found)] or found
    return text.dsn(notice, Source.FLUFL, sorted(found, key=lambda each: each.line))


def _misses_one(notice: Notice, found: list[Found]) -> bool:
    """Whether our own reading has some of these, and another: some patterns stop too early."""
    answered = {each.address.lower() for each in found}
    ours = {each.address.lower() for each in recipients.find(notice)}
    return not answered.isdisjoint(ours) and not ours <= answered


def _is_origin(lines: list[str], each: Found, found: list[Found]) -> bool:
    """Whether the address stands for an alias of the one above, whose entry it is in.

    Where a program or a file failed, only the origin has an address.
    """
    if not _ORIGIN.match(lines[each.line]):
        return False
    named = {other.line for other in found}
    for index in range(each.line - 1, max(each.line - _ENTRY_LINES, -1), -1):
        if not lines[index] or _NO_MAILBOX.match(lines[index]):
            return False
        if index in named:
            return True
    return True


def _answer(notice: Notice) -> set[str]:
    """The addresses it names; none where it fails, which odd messages make it do."""
    try:
        failed = prepare().all_failures(email.message_from_bytes(_bounded(notice)))
    except Exception:  # noqa: BLE001 - any of its detectors may raise anything
        return set()
    return {addresses.clean(each.decode("utf-8", "replace")) for group in failed for each in group}


def _bounded(notice: Notice) -> bytes:
    """The message up to the returned one, without lines that no notice has.

    Several of its expressions take quadratic time on a line of angle brackets.
    """
    content, root = notice.message.content, notice.message.root
    end = min(len(content), root.body_start + MAX_TEXT)
    if notice.returned_start is not None:
        end = min(end, notice.returned_start)
    lines = content[root.body_start : end].split(b"\n", MAX_LINES)[:MAX_LINES]
    sane = (line[:MAX_LINE] for line in lines if line.count(b"<") <= MAX_BRACKETS)
    return content[root.start : root.body_start][:MAX_TEXT] + b"\n".join(sane)


def _plausible(notice: Notice, address: str) -> Found | None:
    """The address where it stands in the notice; None for whom no notice would name as failed."""
    if address.lower() in notice.own or addresses.is_role(address):
        return None
    local_part = address.rpartition("@")[0]
    if not any(map(str.isalnum, local_part)):
        return None
    whole = re.compile(rf"(?<![\w.+-]){re.escape(address)}", re.IGNORECASE)
    # AOL and a few universities name the local part alone.
    alone = re.compile(rf"(?<![\w.@+-]){re.escape(local_part)}(?![\w@-])", re.IGNORECASE)
    for pattern in (whole, alone):
        for index, line in enumerate(notice.lines):
            if pattern.search(line):
                return Found(address, index)
    return None

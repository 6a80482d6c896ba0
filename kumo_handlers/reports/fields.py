"""Report fields (RFC 3464, 2.1; RFC 5965, 3.1): text to paragraphs of fields.

The lines decide, not the standard: a field may be indented, its continuation may not be, an empty
line may hold blanks. Each departure is said once, in ``remarks``. Which paragraph is about whom
is the business of `groups`.
"""

from __future__ import annotations

import re

# One row for each line with its continuation lines: (name, blanks, value, empty line, other).
# Every repetition is possessive, so that no input makes it look at a character twice.
_ROW = re.compile(
    r"^(?:([A-Za-z][!-9;-~]*+)([ \t]*+):[ \t]*+(.*+(?:\n[ \t]++[^\s].*+)*+)|([ \t]*+)$|(.++))",
    re.MULTILINE,
)
_FOLD = re.compile(r"[ \t]*+\n[ \t]++")
_INDENTED = re.compile(r"[ \t]++([A-Za-z][!-9;-~]*+)[ \t]*+:[ \t]*+(.*+)")

# RFC 3464, 2.2: about the message.
PER_MESSAGE = frozenset(
    {"original-envelope-id", "reporting-mta", "dsn-gateway", "received-from-mta", "arrival-date"}
)
# RFC 3464, 2.3: they say which recipient a group is about.
RECIPIENT = frozenset({"original-recipient", "final-recipient"})
# RFC 3464, 2.3, and Sendmail's own: about one recipient.
OF_RECIPIENT = frozenset(
    {
        *("action", "status", "remote-mta", "diagnostic-code", "last-attempt-date"),
        *("final-log-id", "will-retry-until", "x-actual-recipient"),
    }
)
_KNOWN = PER_MESSAGE | RECIPIENT | OF_RECIPIENT

Group = dict[str, list[str]]


def remark(remarks: list[str], text: str) -> None:
    """Say something once."""
    if text not in remarks:
        remarks.append(text)


def read(text: str, remarks: list[str]) -> list[Group]:
    """The paragraphs of ``text`` (LF line ends) as fields: lower-case names, unfolded values.

    A second Final-Recipient in one paragraph starts another: somebody forgot the empty line.
    """
    paragraphs: list[Group] = []
    paragraph: Group = {}
    last: list[str] | None = None
    empty = 0
    for name, blanks, value, blank, other in _ROW.findall(text):
        if name:
            if empty > 1 or blanks:
                remark(remarks, "blanks before a colon" if blanks else "several empty lines")
            empty = 0
            key = name.lower()
            if key in paragraph and key in RECIPIENT:
                paragraph = _next(paragraphs, paragraph, remarks)
            if "\n" in value:
                value = _FOLD.sub(" ", value)  # noqa: PLW2901 - the same value, unfolded
            last = _add(paragraph, key, value, last)
        elif other:
            empty = 0
            last = _other(other, paragraph, last, remarks)
        else:
            if blank:
                remark(remarks, "blanks on an empty line")
            # The empty line before the end of the body belongs to the boundary.
            empty += 1
            last = None
            if paragraph:
                paragraphs.append(paragraph)
                paragraph = {}
    if paragraph:
        paragraphs.append(paragraph)
    return paragraphs


def _add(paragraph: Group, key: str, value: str, last: list[str] | None) -> list[str]:
    value = value.rstrip()
    if last is not None and value.startswith("//") and key in ("http", "https"):
        # QUIRK: Google's diagnostics end in a web address; gateways wrap it to a line of its own.
        last[-1] = f"{last[-1]} {key}:{value}"
        return last
    values = paragraph.setdefault(key, [])
    values.append(value)
    return values


def _next(paragraphs: list[Group], paragraph: Group, remarks: list[str]) -> Group:
    """Begin another recipient's paragraph where no empty line does."""
    remark(remarks, "no empty line between two recipients")
    following: Group = {}
    # Original-Recipient stands before Final-Recipient (RFC 3464, 2.3): the last one is the next's.
    keys = list(paragraph)
    if keys[-1] == "original-recipient" and not OF_RECIPIENT.isdisjoint(keys):
        following["original-recipient"] = paragraph.pop("original-recipient")
    paragraphs.append(paragraph)
    return following


def _other(
    line: str, paragraph: Group, last: list[str] | None, remarks: list[str]
) -> list[str] | None:
    """A line that is no field: an indented one, the rest of the one before it, or nothing."""
    indented = _INDENTED.match(line)
    if indented and (last is None or indented[1].lower() in _KNOWN):
        remark(remarks, "indented fields")
        return _add(paragraph, indented[1].lower(), indented[2], last)
    if last is None:
        remark(remarks, "a line that is no field was ignored")
        return None
    remark(remarks, "a continuation line was not indented")
    last[-1] = f"{last[-1]} {line.strip()}".strip()
    return last


def single(group: Group, name: str, remarks: list[str]) -> str | None:
    """The value of a field that may stand once: the first that is not empty."""
    values = group.get(name)
    if values is None:
        return None
    if len(values) == 1:
        return values[0]
    if len(set(values)) > 1:
        remark(remarks, f"several {name} fields, the first one counts")
    return next((value for value in values if value), "")

"""Report fields (RFC 3464, 2.1; RFC 5965, 3.1): text to paragraphs of fields.

The lines decide, not the standard: a field may be indented, its continuation may not be, an empty
line may hold blanks. Each departure is said once, in ``remarks``. Which paragraph is about whom
is the business of `groups`.
"""

from __future__ import annotations

import re
import textwrap

# QUIRK: Google's diagnostics end in a web address; gateways wrap it to a line of its own, where
# it is no field.
# One row for each line with its continuation lines: (name, blanks, value, empty line, other).
# Nothing behind a repetition can fail, so that no input makes it look at a character twice.
_ROW = re.compile(
    r"^(?:(?!https?://)([A-Za-z][!-9;-~]*+)([ \t]*+):[ \t]*+(.*+(?:\n[ \t]++[^\s].*+)*)"
    r"|([ \t]*+)$|(.++))",
    re.MULTILINE,
)
_FOLD = re.compile(r"\n[ \t]++")
_BLANKS = (" ", "\t")
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

# How long a value may become by lines that were not indented.
MAX_VALUE = 16 * 1024

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
    text = _tidied(text, remarks)
    has_trailing = " \n" in text or "\t\n" in text
    for name, blanks, value, blank, other in _ROW.findall(text):
        if name:
            if empty > 1 or blanks:
                remark(remarks, "blanks before a colon" if blanks else "several empty lines")
            empty = 0
            key = name.lower()
            # Long ones are folded before their first word.
            unfolded = _FOLD.sub(" ", value).lstrip() if "\n" in value else value
            if has_trailing:
                unfolded = unfolded.rstrip()
            if key not in paragraph:
                paragraph[key] = last = [unfolded]
            else:
                paragraph, last = _again(paragraphs, paragraph, key, unfolded, remarks)
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


def _tidied(text: str, remarks: list[str]) -> str:
    """The text without NULs, and without what all of its lines are indented by."""
    if "\0" in text:
        remark(remarks, "NUL characters")
        text = text.replace("\0", "")
    if text[:1] in _BLANKS and (level := textwrap.dedent(text)) != text:
        remark(remarks, "indented fields")
        return level
    return text


def _again(
    paragraphs: list[Group], paragraph: Group, key: str, value: str, remarks: list[str]
) -> tuple[Group, list[str]]:
    """A field that stands in the paragraph already: a second one, or the next recipient's."""
    if key in RECIPIENT:
        paragraph = _next(paragraphs, paragraph, remarks)
    values = paragraph.setdefault(key, [])
    if key in _KNOWN and values and value != values[0] and value and values[0]:
        remark(remarks, f"several {key} fields, the first that is not empty counts")
    # An empty one is none: those with a value come first.
    values.insert(0 if values and not values[0] else len(values), value)
    return paragraph, values


def _next(paragraphs: list[Group], paragraph: Group, remarks: list[str]) -> Group:
    """Begin another recipient's paragraph where no empty line does."""
    remark(remarks, "no empty line between two recipients")
    following: Group = {}
    keys = list(paragraph)
    # QUIRK: Exim and Amazon SES begin with Action: a second one is the next recipient's, too.
    first = next((key for key in keys if key in RECIPIENT or key in OF_RECIPIENT), "")
    if first in OF_RECIPIENT and len(paragraph[first]) > 1:
        following[first] = [paragraph[first].pop()]
    # Original-Recipient stands before Final-Recipient (RFC 3464, 2.3): the last one is the next's.
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
        values = paragraph.setdefault(indented[1].lower(), [])
        values.append(indented[2].rstrip())
        return values
    if last is None or len(last[-1]) > MAX_VALUE:
        remark(remarks, "a line that is no field was ignored")
        return last
    if _is_whole(last, paragraph):
        remark(remarks, "a line that is no field was ignored")
        return None
    remark(remarks, "a continuation line was not indented")
    last[-1] = f"{last[-1]} {line.strip()}".strip()
    return last


def _is_whole(last: list[str], paragraph: Group) -> bool:
    """Whether these are the values of a recipient field that has its address."""
    if not any(paragraph.get(name) is last for name in RECIPIENT):
        return False
    return "@" in last[-1] and last[-1].count("<") == last[-1].count(">")


def singles(group: Group) -> dict[str, str]:
    """One value for each field, for those that may stand once: the first that is not empty."""
    return {name: values[0] for name, values in group.items()}

"""The notice in a bounce: what its sender wrote, apart from the message that it returns."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from kumo_handlers.reports import encoding
from kumo_handlers.reports.nonstandard import addresses, ending, openings, prose
from kumo_handlers.reports.report import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kumo_handlers.reports import header_fields, mime

# A notice is a page long. Bounds keep what only looks like one from costing more.
MAX_TEXT = 64 * 1024
MAX_LINES = 1500
MAX_LINE = 1000
MAX_TEXT_PARTS = 8

_RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
_OWN_FIELDS = ("to", "delivered-to", "x-original-to")

# How the line above a list ends.
_TITLE_ENDS = (":", "\uff1a", "---", "===", "***")
_UNREACHED = (Action.FAILED, Action.DELAYED)


class Notice:
    """What stands before the returned message, line by line; and what is known of the latter.

    ``lines`` are stripped, their blanks collapsed. ``is_returning`` tells whether the returned
    message, or the title before it, was found.
    """

    def __init__(self, message: mime.Message) -> None:
        self.message = message
        shown, self._returned_part = _human(message)
        shown = _unlinked(shown)
        written = shown.split("\n", MAX_LINES)[:MAX_LINES]
        every = [" ".join(line[:MAX_LINE].split()) for line in written]
        end = ending.find(every)
        again = ending.resume(every, end)
        again_end = again + ending.find(every[again:])
        self.lines = every[:end] + every[again:again_end]
        self._written = written[:end] + written[again:again_end]
        self._rest = every[end : min(again, end + 200)]
        self.is_returning = self._returned_part is not None or end < len(every)

    @cached_property
    def subject(self) -> str:
        """The subject, decoded and folded."""
        return openings.fold(encoding.words(self.message.header("subject") or ""))

    @cached_property
    def folded(self) -> str:
        """The lines as one folded text, without the empty ones, blanks between them."""
        return " ".join(filled for _, filled in self._folded_lines)

    @cached_property
    def _folded_lines(self) -> list[tuple[int, str]]:
        return [(index, openings.fold(line)) for index, line in enumerate(self.lines) if line]

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for _, text in self._folded_lines:
            starts.append(at)
            at += len(text) + 1
        return starts

    def line_at(self, offset: int) -> int:
        """The index in ``lines`` of the line that holds this offset of ``folded``."""
        return self._folded_lines[max(bisect_right(self._starts, offset) - 1, 0)][0]

    def indent(self, index: int) -> int:
        """How far the line was indented."""
        line = self._written[index]
        return len(line) - len(line.lstrip())

    @cached_property
    def openings(self) -> tuple[openings.Opening, ...]:
        """The phrases in which the notice says what happened."""
        return openings.find(self.folded)

    @cached_property
    def reached(self) -> frozenset[int]:
        """The lines that name those who were reached, where a list of others follows or precedes.

        Empty where the notice has one list: what that says, the whole notice says.
        """
        outcome: Action | None = None
        lists: dict[Action | None, set[int]] = {}
        for index, line in enumerate(self.lines):
            if "@" in line:
                lists.setdefault(_outcome(line) or outcome, set()).add(index)
            elif line.endswith(_TITLE_ENDS):
                outcome = openings.title(openings.fold(self._title(index))) or outcome
        is_mixed = not lists.keys().isdisjoint(_UNREACHED)
        return frozenset(lists.get(Action.DELIVERED, ()) if is_mixed else ())

    def _title(self, index: int) -> str:
        """The line, and the one before where the sentence begins there."""
        before = self.lines[index - 1] if index else ""
        is_begun = before and "@" not in before and not before.endswith((".", *_TITLE_ENDS))
        return f"{before} {self.lines[index]}" if is_begun else self.lines[index]

    @cached_property
    def own(self) -> frozenset[str]:
        """The addresses that got this notice, and its sender's, in lower case."""
        fields = (self.message.header(name) or "" for name in (*_OWN_FIELDS, "from", "reply-to"))
        found = {address for field in fields for address in addresses.within(field[:2000])}
        return frozenset(address.lower() for address in found | {self.message.reverse_path or ""})

    @property
    def returned_start(self) -> int | None:
        """Where in the content the part starts that holds the returned message."""
        return self._returned_part.start if self._returned_part else None

    @cached_property
    def returned_headers(self) -> header_fields.Headers:
        """The header fields of the returned message, however it was returned."""
        if self._returned_part is not None:
            return self._returned_part.embedded()
        pairs = (line.lstrip("> ").partition(":") for line in self._rest)
        return tuple((name.strip(), value.strip()) for name, colon, value in pairs if colon)


def _outcome(line: str) -> Action | None:
    """What a line says of the address that begins it, or that its sentence ends with."""
    line = line.lstrip("-*<> ")
    if leading := addresses.ADDRESS.match(line):
        return openings.entry(openings.fold(line[leading.end() :]))
    return openings.sentence(openings.fold(addresses.ADDRESS.sub("", line)))


def _human(message: mime.Message) -> tuple[str, mime.Part | None]:
    """The text before the returned message, and the part that holds the latter.

    QUIRK: where there is none before it, the text stands behind.
    """
    texts: list[tuple[bool, str]] = []
    room = MAX_TEXT
    returned = None
    for part in message.parts:
        if part.content_type in _RETURNED:
            returned = returned or part
            if texts:
                break
            continue
        if room <= 0 or len(texts) >= MAX_TEXT_PARTS:
            continue
        text = _shown(part, room)
        room -= len(text)
        if text.strip():
            texts.append((part.content_type == "text/html", text))
    if not texts and returned is None and message.root.is_multipart:
        return _without_part_headers(message.root.text(MAX_TEXT)), None
    return _joined(texts), returned


def _unlinked(text: str) -> str:
    """Without links that repeat the address before them: ``ann@a.example<mailto:ann@a.example>``.

    QUIRK: Outlook writes them where it makes plain text of HTML.
    """
    if "<mailto:" not in text:
        return text
    kept, at = [], 0
    for link in _LINK.finditer(text):
        before = text[max(link.start() - len(link[1]), at) : link.start()]
        if before.lower() == link[1].lower():
            kept.append(text[at : link.start()])
            at = link.end()
    return "".join((*kept, text[at:]))


_LINK = re.compile(r"<mailto:([^\s<>]{1,320})>", re.IGNORECASE)


def _without_part_headers(body: str) -> str:
    """The text of a multipart that could not be taken apart: its boundary is another."""
    return _PART_HEADER.sub("", _RETURNED_HEADER.split(body, maxsplit=1)[0])


_RETURNED_HEADER = re.compile(
    r"^content-type: *+(?:message/|text/rfc822)", re.IGNORECASE | re.MULTILINE
)
_PART_HEADER = re.compile(
    r"^(?:--\S{1,200}|content-[a-z-]{2,30}:.*)$", re.IGNORECASE | re.MULTILINE
)


def _shown(part: mime.Part, limit: int) -> str:
    """The text of a part that a person would be shown."""
    if part.content_type == "text/html":
        return prose.of_html(part.text(limit))[:limit]
    if part.content_type.startswith("text/") or part.content_type in _STATUS:
        text = part.text(limit)[:limit]
        # QUIRK: Exchange among others declares HTML as plain text, or nothing.
        return prose.of_html(text) if text.lstrip()[:14].lower().startswith(_HTML) else text
    return ""


_STATUS = (
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
)
_HTML = ("<html", "<!doctype html", "<body")


def _joined(texts: Iterable[tuple[bool, str]]) -> str:
    """Plain text where there is any: HTML says the same again, less legibly.

    Unless the plain text names nobody, and the HTML does.
    """
    every = list(texts)
    plain = [text for is_html, text in every if not is_html]
    if not any("@" in text for text in plain) and any("@" in text for _, text in every):
        return "\n\n".join(text for _, text in every)
    return "\n\n".join(plain or [text for _, text in every])

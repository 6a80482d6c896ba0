"""HTML as the prose it shows: enough for a notice, which has no more than paragraphs."""

from __future__ import annotations

import html
import re

_UNSEEN = (("<style", "</style"), ("<script", "</script"), ("<title", "</title"), ("<!--", "-->"))
_BREAK = re.compile(
    r"<(?:br|hr|/?(?:p|div|tr|li|ul|ol|h[1-6]|td|pre|table))\b[^<>]{0,4000}>", re.IGNORECASE
)
# Not ``<user@example.com>``, which careless programs write into HTML as it is.
_TAG = re.compile(r"</?[a-z][a-z0-9:]{0,30}(?:\s[^<>]{0,4000})?/?>|<![^<>]{0,500}>", re.IGNORECASE)
_MAILTO = re.compile(
    r"<a\s[^<>]{0,200}href\s*=\s*[\"']?mailto:([^\s\"'<>?]{1,320})[^<>]{0,500}>", re.IGNORECASE
)


def of_html(source: str) -> str:
    """The text of an HTML part, a line for each paragraph, row or cell."""
    for opening, closing in _UNSEEN:
        source = _without(source, opening, closing)
    flowing = source if "<pre" in source.lower() else " ".join(source.split())
    if "@" not in (shown := _shown(flowing)):
        # Each recipient is shown by name, and the address is behind the link.
        return _shown(_MAILTO.sub(r" \1 ", flowing))
    return shown


def _shown(source: str) -> str:
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", source)))


def _without(source: str, opening: str, closing: str) -> str:
    """What stands outside the elements of one kind; found, not matched, so it stays linear."""
    lowered = source.lower()
    if len(lowered) != len(source) or opening not in lowered:
        return source
    kept, at = [], 0
    while (start := lowered.find(opening, at)) >= 0:
        end = lowered.find(closing, start + len(opening))
        if end < 0:
            break
        kept.append(source[at:start])
        at = end + len(closing)
        if opening != "<!--":
            at = lowered.find(">", at) + 1 or len(source)
    kept.append(source[at:])
    return " ".join(kept)

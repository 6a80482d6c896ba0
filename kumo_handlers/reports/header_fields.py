"""Header fields over bytes (RFC 5322, 2.2): one block, any line ending, any damage.

A line that is no field and continues none is passed over: a ``From `` line of a mailbox file, or
a field that somebody wrapped without indenting.
"""

from __future__ import annotations

import re

# A repetition is possessive, or nothing behind it can fail: on no input is a character looked at
# twice from one start.
_FIELD = re.compile(r"^([^\s:]++)[ \t]*+:[ \t]*+(.*+)", re.MULTILINE)
_FOLD = re.compile(r"\n[ \t]++")
# Parameters are parted by semicolons, by careless senders by blanks.
_PARAMETER = re.compile(
    r'(?:;|(?<!\s)\s)\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;\s]*+))', re.DOTALL
)
# Blanks and folds aside at its beginning, line ends at its end: CRLF gives the same as LF. A CR in
# its midst is part of it.
_FOUND = rb"(?:[ \t]|\r*+\n[ \t])*+([^\r\n]*+(?:\r++(?![\r\n]|\Z)[^\r\n]*+|\r*+\n[ \t][^\r\n]*+)*)"
_VALUE = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMMENT = re.compile(r"\([^()]*+\)")
_SECTION = re.compile(r"(.+?)\*(\d{0,2})\*?")

# A Content-Type longer than this is no sender's.
MAX_PARAMETERS = 8 * 1024

Headers = tuple[tuple[str, str], ...]


def lines(raw: bytes) -> str:
    """Bytes as text with LF line ends, whichever they had; not UTF-8: surrogate escapes."""
    text = raw.decode("utf-8", "surrogateescape")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def unfolded(value: str) -> str:
    """A value on one line (RFC 5322, 2.2.3): each fold is one blank."""
    return (_FOLD.sub(" ", value) if "\n" in value else value).strip()


def read(block: bytes) -> Headers:
    """All fields of a header block, in their order, each unfolded to one line."""
    text = _FOLD.sub(" ", lines(block))
    found = _FIELD.findall(text)
    if " \n" in text or "\t\n" in text:
        return tuple([(name, value.rstrip()) for name, value in found])
    return tuple(found)


def first(block: bytes, lowered: bytes, name: bytes) -> str | None:
    """The first field called ``name``, lower case, unfolded: without reading the others.

    ``lowered`` is the block in lower case, made once by the caller for all its look-ups.
    """
    start = lowered.find(b"\n%s:" % name) + 1
    if not start and not lowered.startswith(name + b":"):
        return _spaced(block, lowered, name)
    found = _VALUE.match(block, start + len(name) + 1)
    return _line(found[0]) if found else None


def pattern(*names: bytes, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[bytes]:
    """What finds the fields of these names, each with its folds, for `firsts`.

    One search finds them all; it is quick because each hit begins with a line feed, and quicker
    without flags in a block that is in lower case.
    """
    known = b"|".join(sorted(names))
    return re.compile(rb"\n(%s)[ \t]*+:%s" % (known, _FOUND), flags)


def firsts(block: bytes, wanted: re.Pattern[bytes]) -> dict[bytes, str]:
    """The first field of each name that is ``wanted``, the names in lower case; unfolded."""
    found = wanted.findall(b"\n" + block)
    # `find`, because ``in`` takes three times as long on bytes.
    if (not found or block.find(b"\n") < 0) and block.find(b"\r") >= 0:
        found = wanted.findall(b"\n" + block.replace(b"\r", b"\n"))
    # The first of several counts, so it has to be the last that is put in.
    return {name.lower(): _line(value) for name, value in reversed(found)}


def _line(raw: bytes) -> str:
    """One field's value, unfolded: most stand on one line."""
    text = raw.decode("utf-8", "surrogateescape").strip()
    return unfolded(lines(raw)) if "\n" in text or "\r" in text else text


def _spaced(block: bytes, lowered: bytes, name: bytes) -> str | None:
    """The same for ``Name : value``, which old software writes (RFC 5322, 4.5), and for CR."""
    if lowered.find(name) < 0:
        return None
    wanted = name.decode()
    return next((value for key, value in read(block) if key.lower() == wanted), None)


def content_type(value: str) -> str:
    """``text/plain`` out of a Content-Type: lower case, without parameters and comments."""
    kind = value.partition(";")[0]
    if "(" in kind:
        kind = _COMMENT.sub("", kind)
    # QUIRK: X1 and others leave out the semicolon: ``text/plain charset=...``.
    return kind.strip().partition(" ")[0].strip('"').lower()


def parameters(value: str) -> dict[str, str]:
    """The parameters of a Content-Type (RFC 2045, 5.1), names in lower case; the first one wins.

    Values in sections, ``boundary*0=``, are joined (RFC 2231, 3); an unclosed quote ends with
    the field.
    """
    found: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(value[:MAX_PARAMETERS]):
        plain = _ESCAPE.sub(r"\1", quoted) if "\\" in quoted else quoted or token
        key = name.lower()
        if "*" in key and (section := _SECTION.fullmatch(key)):
            key = section[1]
            if section[2] not in ("", "0"):
                found[key] = found.get(key, "") + plain
                continue
        found.setdefault(key, plain)
    return found

"""The header of a message, changed field by field; every byte that is not changed stays."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Final, Self

from kumo_handlers.mail import octets

_FIELD: Final = re.compile(rb"(?:[^\r\n]++|\r?\n(?=[ \t])|\r(?!\n))*(?:\r?\n|\Z)")
# Encoded words and addresses are looked for no further: Python takes its time over them.
MAX_VALUE: Final = 65_536
# RFC 5322, 2.2: printable US-ASCII, but for the colon.
_NAME: Final = re.compile(r"[!-9;-~]{1,76}")
# A line end that does not fold would begin another field, or the body.
_UNFOLDED: Final = re.compile(r"\r(?!\n)|(?<!\r)\n|\r\n(?![ \t])|\0")
_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")


class HeaderBlock:
    """The fields of ``content``, each as it was received, and what follows them."""

    def __init__(self, fields: list[bytes], rest: bytes) -> None:
        self.fields = fields
        self.rest = rest

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Take ``content``, with CRLF line ends, to pieces."""
        if content.startswith(b"\r\n"):
            return cls([], content)
        end = content.find(b"\r\n\r\n")
        block, rest = (content, b"") if end < 0 else (content[: end + 2], content[end + 2 :])
        return cls([field for field in _FIELD.findall(block) if field], rest)

    def __bytes__(self) -> bytes:
        return b"".join(self.fields) + self.rest

    def values(self, name: str) -> list[str]:
        """The values of the fields of a name, unfolded and decoded (RFC 2047)."""
        wanted = name.lower()
        return [value for each, value in self.items() if each.lower() == wanted]

    def items(self) -> list[tuple[str, str]]:
        """Name and value of each field, in order; what is no field is left out."""
        found = []
        for field in self.fields:
            name, colon, value = field.partition(b":")
            if colon:
                found.append((_text(name).strip(), _decoded(_text(value))))
        return found

    def prepend(self, name: str, value: str) -> None:
        """Put a field on top. Raises ValueError for what is none."""
        self.fields.insert(0, _field(name, value))

    def append(self, name: str, value: str) -> None:
        """Put a field behind the others. Raises ValueError for what is none."""
        if self.fields and not self.fields[-1].endswith(b"\n"):
            self.fields[-1] += b"\r\n"
        self.fields.append(_field(name, value))
        self.rest = self.rest or b"\r\n"

    def remove(self, *names: str) -> None:
        """Remove the fields of these names."""
        unwanted = {name.lower().encode() for name in names}
        self.fields = [
            field
            for field in self.fields
            if field.partition(b":")[0].strip().lower() not in unwanted
        ]


def _field(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    if _UNFOLDED.search(value):
        raise ValueError(f"the value of {name} has a line end that does not fold it")
    return octets.of_text(f"{name}: {value}\r\n")


def _text(raw: bytes) -> str:
    return octets.to_text(raw)


def _decoded(value: str) -> str:
    value = _FOLD.sub("", value).strip()
    if "=?" not in value or len(value) > MAX_VALUE:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value  # as it stands is better than nothing

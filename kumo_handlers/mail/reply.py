"""Replies: what a server says, and what it makes of the replies it is given (RFC 5321, 4.2).

Here is what a reply is, and which one an error becomes; the listener's own replies have their
texts in `smtp.replies`, those of the decision in `pipeline.replies`.
"""

from __future__ import annotations

import enum
import re

import msgspec

from kumo_handlers.errors import KumoHandlersError

# RFC 5321, 4.5.3.1.5: a reply line has at most 512 octets, code and CRLF included.
MAX_LINE = 500
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\d)")


class EnhancedStatusCode(msgspec.Struct, frozen=True, gc=False, rename={"class_": "class"}):
    """``5.1.1`` (RFC 3463). ``class_`` is ``class`` in records, as KumoMTA writes it."""

    class_: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.class_}.{self.subject}.{self.detail}"

    @classmethod
    def find(cls, text: str) -> EnhancedStatusCode | None:
        """The first ``x.y.z`` that stands at the beginning of ``text``, blanks aside."""
        found = _STATUS.match(text.lstrip())
        return cls(*map(int, found.groups())) if found else None


class Ending(enum.StrEnum):
    """Whether the connection ends with a reply: as its code says, or whatever its code is.

    ``WITH_421`` says a 421 after it, for only that code announces an end (RFC 5321, 3.8).
    """

    AS_CODED = "as coded"
    AT_ONCE = "at once"
    WITH_421 = "with 421"


# A member looked up in its class costs a call of Python's, and each reply is asked.
_AS_CODED = Ending.AS_CODED


class Reply(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One reply. ``text`` may hold several lines, parted by a line feed."""

    code: int
    text: str
    status: EnhancedStatusCode | None = None
    ending: Ending = Ending.AS_CODED

    def encode(self) -> bytes:
        """The bytes for the wire. Nothing in ``text`` can start a line of its own making."""
        prefix = f"{self.status} " if self.status else ""
        lines = [_UNPRINTABLE.sub("?", prefix + line)[:MAX_LINE] for line in self.text.split("\n")]
        last = len(lines) - 1
        return "".join(
            f"{self.code}{' ' if index == last else '-'}{line}\r\n"
            for index, line in enumerate(lines)
        ).encode("ascii")

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.code}{status} {self.text}"

    @property
    def accepts(self) -> bool:
        """Whether this takes responsibility: a positive completion (RFC 5321, 4.2.1)."""
        return self.code < 300  # noqa: PLR2004 - the RFC's own boundary

    @property
    def closes(self) -> bool:
        """Whether the connection is closed after it: 221 and 421 (RFC 5321, 4.2.2)."""
        return self.code in (221, 421) or self.ending is not _AS_CODED


def reply(code: int, status: str, text: str) -> Reply:
    """A reply written as it is read: ``reply(550, "5.7.1", "relaying not permitted")``."""
    return Reply(code, text, EnhancedStatusCode.find(status))


def of_error(error: BaseException, hostname: str) -> Reply:
    """The generic reply an error becomes; ``hostname`` is named where the session ends."""
    kind = type(error) if isinstance(error, KumoHandlersError) else KumoHandlersError
    text = f"{hostname} {kind.reply_text}" if kind.reply_code == 421 else kind.reply_text  # noqa: PLR2004 - closing
    return reply(kind.reply_code, kind.reply_status, text)

"""A report made fit to be shown: what it says about people and hosts replaced, nothing else.

A scrubbed report must still be read as it was, or it is useless for whoever looks into a bug. So
it is read again, and where it reads otherwise, less is replaced: first the host stays that the
report comes from, then all hosts, then also the prose behind a notice. Local parts and the parts
that hold the returned message are replaced in any case.
"""

from __future__ import annotations

import binascii
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.errors import ReportError
from kumo_handlers.reports import cascade, encoding, header_fields, mime, trace
from kumo_handlers.reports.nonstandard import ending
from kumo_handlers.reports.pseudonyms import Pseudonyms
from kumo_handlers.reports.report import DSN, FeedbackReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kumo_handlers.reports.report import Report

_RETURNED = frozenset(
    {
        *("message/rfc822", "message/global", "message/partial", "message/news"),
        *("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"),
        "text/rfc822",
    }
)
_PEOPLE = frozenset({"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to"})
# Of the returned message, what readers go by; the value of every other field is blotted out.
_STRUCTURE = _PEOPLE | {
    *("received", "message-id", "references", "in-reply-to", "date", "mime-version", "return-path"),
    *(
        "content-type",
        "content-transfer-encoding",
        "delivered-to",
        "x-original-to",
        "x-hmxmroriginalrecipient",
    ),
    *("x-failed-recipients", "x-sid-pra", "x-rcpt-to", "x-envelope-to", "x-sender-ip"),
}
_FIELD = re.compile(r"^([!-9;-~]+)([ \t]*:)(.*(?:\n[ \t].*)*)", re.MULTILINE)
_HEADER_END = re.compile(r"\r?\n(?=\r?\n)|\Z")
_WORD = re.compile(
    r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=(?:\s+=\?[^?\s]+\?[bq]\?[^?\s]*\?=)*", re.IGNORECASE
)
_DISPLAY_NAME = re.compile(r"\s*\"?([^\"<>@,;]{3,80}?)\"?\s*<")
_SHOWN = re.compile(r"[^\W_]")
_FILE_NAME = re.compile(r"((?:file)?name\*?\d*\*?=)(\"[^\"]*\"|[^;\s]+)", re.IGNORECASE)
_ASCII_UNSAFE = re.compile(r"utf-?(?:7|16|32)", re.IGNORECASE)
_LINE = 76


class Hosts(Enum):
    """Which hosts stay what they are."""

    NONE = 0
    SENDER = 1
    ALL = 2


class Care(msgspec.Struct, frozen=True):
    """How much is replaced: which hosts stay, and whether prose behind the notice is blotted."""

    kept: Hosts = Hosts.NONE
    blots_prose: bool = True


_LESS_AND_LESS = (Care(), Care(Hosts.SENDER), Care(Hosts.ALL), Care(Hosts.ALL, blots_prose=False))


def scrub(content: bytes) -> bytes:
    """The message with all that is private replaced; it is read as ``content`` was.

    Raises `ReportError` where no attempt is.
    """
    before = cascade.read(content)
    for care in _LESS_AND_LESS:
        scrubber = Scrubber(content, before, care)
        scrubbed = scrubber.scrubbed()
        if scrubber.reads_same(before, cascade.read(scrubbed)):
            return scrubbed
    raise ReportError("it reads otherwise once names are replaced")


class Scrubber:
    """One attempt at one message, of which ``before`` is how it was read."""

    def __init__(self, content: bytes, before: Report | None, care: Care = Care()) -> None:  # noqa: B008 - frozen
        self._message = mime.Message(content)
        self._care = care
        self.pseudonyms = Pseudonyms(self._kept())
        texts = [self._message.content.decode("latin-1")]
        texts += [_view(part) for part in self._message.parts if _is_encoded(part)]
        texts += _recipients(before)
        headers = [
            each
            for part in self._message.parts
            if part.content_type in _RETURNED
            for each in part.embedded()
        ]
        self.pseudonyms.learn(texts, _people(headers), _subjects(headers))

    def _kept(self) -> tuple[str, ...]:
        if self._care.kept is Hosts.SENDER:
            return _hosts(self._message.header("from") or "")
        return ("",) if self._care.kept is Hosts.ALL else ()

    def scrubbed(self) -> bytes:
        """The message, its parts in their places and in their encodings."""
        message, pieces, at = self._message, [], 0
        for part in message.parts:
            pieces.append(self._fields(message.content[at : part.body_start].decode("latin-1")))
            pieces.append(self._body(part))
            at = part.end
        pieces.append(self._fields(message.content[at:].decode("latin-1")))
        return "".join(pieces).encode("latin-1", "replace")

    def reads_same(self, before: Report | None, after: Report | None) -> bool:
        """Whether the two say the same once names are replaced in the first."""
        return self._told(before, self.pseudonyms.apply) == self._told(after, str)

    def _told(self, report: Report | None, rename: Callable[[str], str]) -> object:
        """What a report says that somebody would act upon."""
        told: list[object] = [type(report)]
        if isinstance(report, DSN):
            told += [report.source, _deep(report.reporting_mta, rename)]
            told += [
                (
                    _deep(each.original_recipient, rename),
                    _deep(each.final_recipient, rename),
                    (each.action, each.status, each.reply_code, each.last_attempt_date),
                )
                for each in report.recipients
            ]
        elif isinstance(report, FeedbackReport):
            told += [report.source, report.feedback_type, report.arrival_date, report.incidents]
            texts = (report.original_mail_from, *report.original_rcpt_to, *report.reported_domain)
            told += [_deep(each, rename) for each in (*texts, report.source_ip)]
        return told

    def _fields(self, text: str) -> str:
        """Header fields, and what stands between parts."""
        return self.pseudonyms.apply(_WORD.sub(self._encoded_word, text))

    def _encoded_word(self, found: re.Match[str]) -> str:
        """RFC 2047: kept where it holds nothing private, else written anew."""
        plain = encoding.words(found.group())
        changed = self.pseudonyms.apply(plain)
        if changed == plain:
            return found.group()
        encoded = binascii.b2a_base64(changed.encode("utf-8", "replace"), newline=False)
        return f"=?utf-8?B?{encoded.decode()}?="

    def _body(self, part: mime.Part) -> str:
        if part.content_type in _RETURNED:
            return _encoded(part, self._returned(_view(part)))
        if part.content_type.startswith(("text/", "message/")) or part.depth == 0:
            return _encoded(part, self._text(part, _view(part)))
        return _encoded(part, _blotted(_view(part)))

    def _text(self, part: mime.Part, text: str) -> str:
        """Prose or report fields, and the message that is returned behind them, if one is."""
        if part.content_type.startswith("message/") or not self._care.blots_prose:
            return self._fields(text)
        lines = text.split("\n")
        last = ending.find([line.rstrip("\r") for line in lines])
        notice = self._fields("\n".join(lines[:last]))
        if last >= len(lines):
            return notice
        # The line itself is what a reader knows the end by.
        title, rest = lines[last], "\n".join(lines[last + 1 :])
        is_field = _FIELD.match(title) is not None
        behind = f"{title}\n{rest}" if is_field else rest
        blank = re.match(r"\s*", behind)
        lead = blank.group() if blank else ""
        before = notice + ("\n" if last else "")
        before += "" if is_field else self._fields(title) + "\n"
        return before + lead + self._returned(behind[len(lead) :])

    def _returned(self, text: str) -> str:
        """A returned message: its fields for what they are, its text blotted out."""
        found = _HEADER_END.search(text)
        end = found.start() if found else len(text)
        pieces, at = [], 0
        for field in _FIELD.finditer(text, 0, end):
            # Between fields is what a gateway wrapped without indenting.
            pieces += [_blotted(text[at : field.start()]), self._field(field)]
            at = field.end()
        return "".join(pieces) + _blotted(text[at:])

    def _field(self, found: re.Match[str]) -> str:
        name, colon, value = found.groups()
        lowered = name.lower()
        if lowered.startswith("x-") and (content := trace.decode(value)) is not None:
            content.pop(trace.SIGNATURE, None)
            return f"{name}{colon} {trace.encode(_deep(content, self.pseudonyms.apply))}"
        if lowered not in _STRUCTURE:
            return f"{name}{colon}{_blotted(value)}"
        if lowered == "content-type":
            value = _FILE_NAME.sub(r"\1x", value)
        return f"{name}{colon}{self._fields(value)}"


def _people(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The display names of the people in a returned message's header."""
    for name, value in headers:
        if name.lower() in _PEOPLE:
            for found in _DISPLAY_NAME.finditer(encoding.words(value)):
                yield from _spelled(found[1].strip())


def _subjects(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Subjects, which reports like to repeat; one word is too little to look for."""
    for name, value in headers:
        subject = encoding.words(value)
        if name.lower() == "subject" and " " in subject:
            yield from _spelled(subject)


def _recipients(report: Report | None) -> list[str]:
    """The addresses a report is about, however the text spells them."""
    if isinstance(report, DSN):
        return [each.recipient for each in report.recipients if each.recipient]
    return list(report.original_rcpt_to) if isinstance(report, FeedbackReport) else []


def _spelled(name: str) -> tuple[str, ...]:
    """A name as it stands in a text of one character for each byte, too."""
    return name, name.encode("utf-8", "surrogateescape").decode("latin-1")


def _hosts(field: str) -> tuple[str, ...]:
    host = field.rpartition("@")[2].strip(" <>\"'")
    return (host,) if "." in host else ()


def _is_encoded(part: mime.Part) -> bool:
    return b"content-transfer-encoding" in part.header_block.lower()


def _charset(part: mime.Part) -> str | None:
    """The charset to decode with, for those in which ASCII is not itself."""
    charset = part.parameters.get("charset", "")
    if encoding.is_falsely_wide(part.decoded(len(part.content)), charset):
        return None
    return charset if _ASCII_UNSAFE.fullmatch(charset) else None


def _view(part: mime.Part) -> str:
    """The body, its transfer encoding undone, one character for each byte."""
    raw = part.decoded(len(part.content))
    charset = _charset(part)
    return raw.decode(charset, "replace") if charset else raw.decode("latin-1")


def _encoded(part: mime.Part, text: str) -> str:
    """The body that holds ``text``, in the part's own transfer encoding."""
    raw = text.encode(_charset(part) or "latin-1", "replace")
    declared = header_fields.content_type(part.field("content-transfer-encoding") or "")
    if declared == "quoted-printable":
        return binascii.b2a_qp(raw, istext=True).decode("ascii")
    if declared != "base64":
        return raw.decode("latin-1")
    encoded = binascii.b2a_base64(raw, newline=False).decode("ascii")
    lines = [encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)]
    return "\n".join([*lines, ""])


def _blotted(text: str) -> str:
    """Every letter and digit an ``x``: lines and lengths stay."""
    return _SHOWN.sub("x", text)


def _deep(value: Any, rename: Callable[[str], str]) -> Any:  # noqa: ANN401 - any JSON
    """A value with every text in it renamed."""
    if isinstance(value, str):
        return rename(value)
    if isinstance(value, dict):
        return {key: _deep(item, rename) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(item, rename) for item in value]
    if isinstance(value, msgspec.Struct):
        return _deep(msgspec.structs.asdict(value), rename)
    return value

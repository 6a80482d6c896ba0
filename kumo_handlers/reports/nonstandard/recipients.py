"""Whom the notice says was not reached: an ordered table of the ways in which notices say it.

The first way that yields an address decides, and no later one adds to it: addresses further down
are those of the postmaster, of the sender, of a forwarding, or of people to ask for help.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports.nonstandard import addresses, openings, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kumo_handlers.reports.nonstandard.notice import Notice

MAX_RECIPIENTS = 200


class Found(msgspec.Struct, frozen=True):
    """One recipient, and the index of the line it stands in; -1: in the header."""

    address: str
    line: int
    remark: str = ""


_LABEL_WORDS = (
    r"(?:(?:the |this |one )?(?:failed |intended |original |final |undeliverable |unknown |"
    r"invalid |bounced |envelope |delivery |bad |destination |following |recipient'?s? |remote )*"
    r"(?:recipients?|address(?:es|\(es\))?|addressee|user|mailbox|rcpt to|rcpt|email|e-mail|"
    r"e-?mail address|recipient address|error[- ]for|target|addressed to|account)(?: address)?|"
    r"destinataire|empfänger|destinatario|destinatário|ontvanger|получатель|адрес|"
    r"宛先|受信者|送信先|收件人|收件者|smtp|recipient\(s\))"
)
_LABELLED = re.compile(
    rf"{addresses.BULLET}{_LABEL_WORDS}\W{{0,4}}[:\uff1a=>]+\W{{0,3}}(?:smtp:|rfc822;)?\s?"
    rf"({addresses.ADDRESS.pattern})",
    re.IGNORECASE,
)
_MORE = re.compile(rf"[\s,;]{{1,4}}({addresses.ADDRESS.pattern})")
_RULE = re.compile(r"[-=*_#]{3,}")
_CONTACT = re.compile(
    r"contact|assistance|help|question|please (?:send|write|mail|forward|visit)|support|write to|"
    r"please use|\bask\b|did you mean|new address|instead use|"
    r"wenden sie sich|adressez|diríjase|rivolg|dirija-se|neem contact|обрат|"
    r"kontakt|contacte[rz]|póngase|问题|問い合わせ|administrator at|sender address|^sender|"
    r"absender|remitente|expéditeur|差出人|发件人|message-id|^reply-to|"
    # what gateways put above and below each message
    r"report (?:spam|phishing|abuse|false|suspicious|this|it|any)"
)
# ``The message <1@a.example> from ann@a.example to bob@b.example was not delivered``.
_NO_RECIPIENT = re.compile(
    r"(?<!generated )(?<!expanded )\b(?:from|sent by|message(?:[- ]?id)?|"
    r"forward(?:ed|s|ing)? to|redirected to)\W{0,3}$"
)
_OTHER_LABEL = re.compile(
    r"(?:original |envelope )?(?:sender|from|mail from|message[- ]?id|reply-to|absender|remitente|"
    r"expéditeur|mittente|remetente|afzender|отправитель|差出人|发件人|寄件者)"
    r"(?:'?s? ?(?:address|e-?mail))? ?[:\uff1a]?"
)
# Behind such a line stand those that were reached.
_SUCCESS = re.compile(r"\b(?:was|were|been) (?:delivered|successful)", re.IGNORECASE)
_ADDRESSED = re.compile(
    rf"^\W{{0,4}}(?:to|cc|bcc) ?: ?({addresses.ADDRESS.pattern})", re.IGNORECASE
)
_POSITIVE = re.compile(r"\W{0,6}(?:s: ?)?25[01][ -]", re.IGNORECASE)
# Not what the other server said: it may know the recipient by another name.
_TRANSCRIPT = re.compile(
    rf"^(?!<<<)\W{{0,6}}(?:[45]\d\d[ -](?:#?[45]\.[0-7]\.\d{{1,3}} )?)?"
    rf"({addresses.ADDRESS.pattern})(?: ?\.\.\.|:? \(|: )",
    re.IGNORECASE,
)
_X400_BEGIN = re.compile(r"/?c=\w{0,3};", re.IGNORECASE)
_X400 = re.compile(r"; ?(?:dda:)?(smtp=[^\s;@]{1,256}@[^\s;@]{1,255})", re.IGNORECASE)
_RCPT_TO = re.compile(rf"rcpt to ?:? ?({addresses.ADDRESS.pattern})", re.IGNORECASE)
_REASON = (
    *(*openings.VAGUE_FAILURE, "fail", "error", "denied", "refused", "full", "unknown", "invalid"),
    *("violation", "not found", "no such", "unable", "cannot", "can't", "could not", "couldn't"),
    *("generated from", "expanded from", "deferred", "quota", "not exist", "disabled", "wasn't"),
)


def find(notice: Notice) -> list[Found]:
    """The recipients, each once; empty where the notice names none."""
    return _find(notice, notice.reached) or (_find(notice, frozenset()) if notice.reached else [])


def _find(notice: Notice, reached: frozenset[int]) -> list[Found]:
    for way in WAYS:
        named = [each for each in way(notice) if each.line not in reached]
        found = {each.address.lower(): each for each in reversed(named)}
        if found:
            return list(found.values())[::-1][:MAX_RECIPIENTS]
    return []


def _first_line(notice: Notice) -> int:
    """The line with which the announcement ends, 0 where there is none."""
    first = next((each.start for each in notice.openings if each.is_plain), None)
    return 0 if first is None else notice.line_at(first)


def _sentence(
    notice: Notice, also: Callable[[str], bool] = lambda _address: False
) -> Iterator[Found]:
    """As in ``Your message to ann@example.com could not be delivered``."""
    said: set[int] = set()
    for opening in notice.openings:
        if not opening.is_plain:
            continue
        first = notice.line_at(opening.start)
        lines = list(sentence.lines_of(notice.lines, first, notice.line_at(opening.end - 1)))
        text = " ".join(notice.lines[index] for index in lines)
        named = [each for each in addresses.within(text) if _is_other(notice, each) or also(each)]
        named = [each for each in named if not _is_asking(text, each)]
        yield from (Found(each, lines[-1]) for each in named)
        said.update(lines if named else ())
    yield from _again(notice, said)


def _again(notice: Notice, said: set[int]) -> Iterator[Found]:
    """Who is named further down behind the same words: a sentence for each recipient."""
    beginnings = {_beginning(notice.lines[index]) for index in said} - {""}
    for index in range(min(said, default=len(notice.lines)) + 1, len(notice.lines)):
        if index not in said and _beginning(notice.lines[index]) in beginnings:
            named = addresses.within(notice.lines[index])
            yield from (Found(each, index) for each in named if _is_other(notice, each))


def _beginning(line: str) -> str:
    """The words before the first address of a line; ``""`` where they are less than two."""
    found = addresses.ADDRESS.search(line) if "@" in line else None
    words = openings.fold(line[: found.start()]) if found else ""
    return words if _TWO_WORDS.match(words) else ""


_TWO_WORDS = re.compile(r"(?:[^\w]*+[^\W\d_]++){2}")


def _listed(notice: Notice) -> Iterator[Found]:
    """An address at the beginning of a line, after the announcement; several such lines."""
    seen = asking = False
    indent = 0
    for index in range(_first_line(notice), len(notice.lines)):
        line = notice.lines[index]
        if seen and "@" not in line and (_RULE.match(line) or _SUCCESS.search(line)):
            return
        # The address itself says nothing: it may be support@.
        words = openings.fold(addresses.ADDRESS.sub("", line))
        asking = bool(line) and (asking or bool(_CONTACT.search(words)))
        match = addresses.LEADING.match(line) or (
            _X400.search(line) if _X400_BEGIN.match(line) else None
        )
        if match is None or (asking and seen) or _is_of_another(notice.lines, index):
            continue
        if seen and notice.indent(index) > indent and _is_continued(notice.lines, index):
            continue
        indent = notice.indent(index) if not seen else indent
        for address in _at(match[1], line[match.end() :]):
            if not (addresses.is_role(address) and asking):
                seen = True
                yield Found(address, index)


def _is_continued(lines: list[str], index: int) -> bool:
    """Whether the line above says something, of which this may be the rest: a reply was wrapped."""
    return bool(lines[index - 1]) and not addresses.LEADING.match(lines[index - 1])


def _is_of_another(lines: list[str], index: int) -> bool:
    """Whether the line above is the label of what is no recipient: ``Sender:``."""
    above = next((line for line in reversed(lines[max(index - 3, 0) : index]) if line), "")
    return bool(_OTHER_LABEL.fullmatch(openings.fold(above)))


def _at(first: str, rest: str) -> Iterator[str]:
    """The first address, and those that follow it in the same list."""
    yield from addresses.within(first)
    while more := _MORE.match(rest):
        yield from addresses.within(more[1])
        rest = rest[more.end() :]


def _with_names(notice: Notice) -> Iterator[Found]:
    """As in ``Ann Bell <ann@example.com>; Bob <…>``: lines of names, after the announcement."""
    for index in range(_first_line(notice) + 1, len(notice.lines)):
        line = notice.lines[index]
        if "@" not in line or not all(map(_NAMED.fullmatch, _BETWEEN.split(line.rstrip(";,")))):
            continue
        if not _is_of_another(notice.lines, index):
            named = (each for each in addresses.within(line) if _is_other(notice, each))
            yield from (Found(each, index) for each in named if not _is_asking(line, each))


_NAMED = re.compile(
    r"\W{0,4}[^\W\d_][^<>@;,:()]{0,40}+"
    r"(?:<[^\s<>@]{1,256}@[^\s<>@]{1,255}>|\([^\s()@]{1,256}@[^\s()@]{1,255}\))"
)
_BETWEEN = re.compile(r"(?<=[>)])[;,] ?")


def _by_x400(notice: Notice) -> Iterator[Found]:
    """As in ``c=US;a= ;p=Corp;dda:SMTP=ann@example.com;``, which Exchange 5.5 writes."""
    yield from _matching(notice, _X400.search)


def _labelled(notice: Notice) -> Iterator[Found]:
    """As in ``Failed recipient: ann@example.com``."""
    above = -_MAX_APART
    for each in _matching(notice, _LABELLED.match):
        # Others may have failed outside the dialogue.
        if notice.lines[each.line].startswith(_COMMAND):
            continue
        # PMDF gives the alias below the recipient that it stands for.
        if not (_ALIAS.match(notice.lines[each.line]) and each.line - above < _MAX_APART):
            above = each.line
            yield each


_MAX_APART = 3
_COMMAND = ">>>"
_ALIAS = re.compile(r"\W{0,4}original (?:address|recipient)", re.IGNORECASE)


def _refused(notice: Notice) -> Iterator[Found]:
    """As in ``550 5.1.1 <ann@example.com>... User unknown``."""
    yield from _matching(notice, _TRANSCRIPT.match)


def _dialogue(notice: Notice) -> Iterator[Found]:
    """*>>> RCPT TO:<ann@example.com>*, when the notice shows the dialogue and no more."""
    yield from _matching(notice, _RCPT_TO.search)


def _matching(notice: Notice, match: Callable[[str], re.Match[str] | None]) -> Iterator[Found]:
    for index, line in enumerate(notice.lines):
        if "@" in line and (found := match(line)) and not _is_accepted(notice.lines, index):
            yield from (Found(address, index) for address in addresses.within(found[1]))


def _is_accepted(lines: list[str], index: int) -> bool:
    """Whether the line is a command that was answered well."""
    if "rcpt to" not in lines[index].casefold():
        return False
    return bool(_POSITIVE.match(next((line for line in lines[index + 1 : index + 3] if line), "")))


def _with_reason(notice: Notice) -> Iterator[Found]:
    """*User ann (ann@example.com) not listed in the directory*: a line that says why."""
    for index, line in enumerate(notice.lines):
        if "@" in line and openings.says(openings.fold(line), _REASON):
            for address in addresses.within(line):
                if _is_other(notice, address) and not _is_asking(line, address):
                    yield Found(address, index)


def _only(notice: Notice) -> Iterator[Found]:
    """The one address in the notice that belongs to nobody else."""
    named = [
        Found(address, index)
        for index, line in enumerate(notice.lines)
        for address in addresses.within(line)
        if _is_other(notice, address) and not _is_asking(line, address)
    ]
    if len({each.address.lower() for each in named}) == 1:
        yield named[0]


def _in_subject(notice: Notice) -> Iterator[Found]:
    """As in ``Undeliverable: ann@example.com``."""
    named = [each for each in addresses.within(notice.subject) if _is_other(notice, each)]
    yield from (Found(each, -1, "recipient read from the subject") for each in named)


def _addressed(notice: Notice) -> Iterator[Found]:
    """*To: ann@example.com*, of the message that the notice is about."""
    yield from _matching(notice, _ADDRESSED.match)


def _role(notice: Notice) -> Iterator[Found]:
    """As `_sentence`, for mail to noreply@ or support@: who else would be meant."""
    yield from _sentence(notice, lambda each: each.lower() not in notice.own)


def _itself(notice: Notice) -> Iterator[Found]:
    """As `_sentence`, where a mailbox says of itself that it takes no mail."""
    sender, got = (
        {each.lower() for each in addresses.within((notice.message.header(name) or "")[:2000])}
        for name in ("from", "to")
    )
    itself = {each for each in sender - got if not addresses.is_role(each)}
    yield from _sentence(notice, lambda each: each.lower() in itself)


def _bare_names(notice: Notice) -> Iterator[Found]:
    """A line with nothing but a local part, after the announcement; the domain is the sender's.

    QUIRK: AOL's notices name the screen name alone.
    """
    sender = next(iter(addresses.within(notice.message.header("from") or "")), "")
    domain = sender.rpartition("@")[2]
    if not domain or not notice.openings:
        return
    for index in range(_first_line(notice) + 1, len(notice.lines)):
        line = notice.lines[index]
        if _NAME.fullmatch(line):
            yield Found(f"{line.strip('<>')}@{domain}", index, "domain taken from the sender")
        elif line:
            return


_NAME = re.compile(r"<?[a-z0-9][a-z0-9._-]{1,40}>?", re.IGNORECASE)


def _in_returned(notice: Notice) -> Iterator[Found]:
    """The last resort: whom the returned message was addressed to."""
    wanted = ("x-failed-recipients", "x-envelope-to", "x-original-to", "to")
    fields = {name.lower(): value for name, value in reversed(notice.returned_headers)}
    for name in wanted:
        if found := addresses.within(fields.get(name, "")[:4000]):
            remark = f"the notice names nobody: {name.title()} of the returned message"
            yield from (Found(address, -1, remark) for address in found)
            return


def _by_return_path(notice: Notice) -> Iterator[Found]:
    """Whom the notice came back for: ``bounce+ann=example.com@…`` names the recipient (VERP)."""
    got = [value for name in ("to", "delivered-to") if (value := notice.message.header(name))]
    for address in addresses.within(", ".join(got)[:2000]):
        if found := _VERP.search(address.rpartition("@")[0]):
            named = f"{found[1] or found[2]}@{found[3]}"
            yield Found(named, -1, "recipient read from whom the notice was sent to")


# Senders of bulk mail put the number of the customer and of the message before the recipient.
_VERP = re.compile(
    r"(?:\+(?:\d{4,12}-[0-9a-z]{4}-|[0-9a-f]{6}\.[0-9a-f]{1,12}-)?([^\s@=+]{1,64})|-([\w.]{1,64}))"
    r"=([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})$",
    re.IGNORECASE,
)


def _is_other(notice: Notice, address: str) -> bool:
    """Whether this is neither who got the notice, nor who sent it, nor a role to turn to."""
    return address.lower() not in notice.own and not addresses.is_role(address)


def _is_asking(text: str, address: str) -> bool:
    """Whether the address is one to write to, or the sender's: by the words before it."""
    before = openings.fold(text[: max(text.find(address), 0)])[-40:]
    return bool(_CONTACT.search(before) or _NO_RECIPIENT.search(before))


WAYS: tuple[Callable[[Notice], Iterator[Found]], ...] = (
    _sentence,
    _listed,
    _with_names,
    _by_x400,
    _labelled,
    _refused,
    _dialogue,
    _with_reason,
    _only,
    _in_subject,
    _addressed,
    _role,
    _itself,
    _bare_names,
    # Before the message that is returned, which may have been addressed to a list.
    _by_return_path,
    _in_returned,
)

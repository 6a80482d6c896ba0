"""Where the notice ends and the message it returns begins.

What stands behind is the sender's own text: it may hold any address and any phrase, so it is
never read for recipients, except, as a last resort, its header fields.
"""

from __future__ import annotations

import re

from kumo_handlers.reports.nonstandard import openings

# As they stand in a line in lower case, blanks collapsed. The line has to look like a title, too.
_TITLES = (
    # English
    *("copy of the message", "copy of your message", "copy of the original", "copy of message"),
    *("original message", "original mail", "original header", "original e-mail"),
    *("original email", "headers of the message", "header of the message", "message header"),
    *("mail header", "message follows", "message text follows", "unsent message"),
    *("message below this line", "returned message", "returned mail", "undelivered message"),
    *("undeliverable message", "message contents", "forwarded message", "message body"),
    *("your message reads", "your message follows", "headers follow", "header follows"),
    *("bounced message", "rejected message", "old message", "message was received as"),
    *("message is attached", "is the message you sent", "begin message", "start of message"),
    *("beginning of message", "text of the message", "text of your message", "email follows"),
    *("failed message", "message source", "here is your returned", "undelivered-message"),
    # German, French, Spanish, Italian, Portuguese, Dutch
    *("kopie der nachricht", "ursprüngliche nachricht", "originalnachricht", "kopie ihrer"),
    *("message d'origine", "message original", "copie du message", "en-tête"),
    *("mensaje original", "copia del mensaje", "encabezado", "messaggio originale"),
    *("mensagem original", "cópia da mensagem", "oorspronkelijk bericht", "kopie van"),
    # Russian, Japanese, Chinese, Korean
    *("копия письма", "исходное сообщение", "копия сообщения", "заголовки", "оригинал"),
    *("元のメッセージ", "オリジナルメッセージ", "元のメール", "原メッセージ", "以下は送信された"),
    *("原始邮件", "原邮件", "原信", "原始郵件", "邮件原文", "원본 메시지"),
)
# ``Original message details``: what follows is about the message, not the message.
_ABOUT = re.compile(r"\b(?:info|information|details?|properties)\b|信息|資訊|資料|の情報")
_RULE = re.compile(r"[-=*_#~+>.|]{2,}")
_TITLE_ENDS = (":", "\uff1a", "---", "***", "===", "___")
_TITLE_FOLLOWS = ("follow.", "follows.", "follows", "following.", "below", "below.")
_MAX_TITLE = 110
# A header excerpt that a notice shows before it comes to its point is not longer.
_MAX_EXCERPT = 20

# RFC 5322 fields that only a message has. ``To``, ``Subject`` and ``Date`` stand in notices too.
_FIELD = re.compile(
    r"(?:received|return-path|message-id|mime-version|content-type|content-transfer-encoding|"
    r"dkim-signature|x-mailer|user-agent|x-originating-ip|in-reply-to|references|"
    r"x-received|arc-seal|authentication-results|delivered-to|domainkey-signature|thread-index)"
    r" ?:",
    re.IGNORECASE,
)
_COMMON_FIELD = re.compile(
    r"(?:from|to|cc|subject|date|reply-to|sender|x-[\w-]{1,40}) ?:", re.IGNORECASE
)
# What is returned may be quoted.
_QUOTED = re.compile(r"(?:[>|] ?){0,3}(from|to|subject|date) ?:", re.IGNORECASE)
_QUOTED_FIELDS = 4
# "On Monday, Ann wrote:", and the same of other mail programs: a person quotes.
_ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|il|em|op|den|on) .{5,200}"
    r"(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev) ?:$|"
    r"begin forwarded message ?:|-+ ?forwarded message ?-+|-{2,} ?forwarded by ",
    re.IGNORECASE,
)


def find(lines: list[str]) -> int:
    """The index of the line at which the notice ends; ``len(lines)`` where it does not.

    ``lines`` are stripped, their blanks collapsed.
    """
    said = False
    for index, line in enumerate(lines):
        if said and _ends(line, lines, index):
            return index
        said = said or bool(line)
    return len(lines)


def resume(lines: list[str], end: int) -> int:
    """The index at which the notice goes on behind ``end``; ``len(lines)`` where it does not.

    QUIRK: PMDF and iPlanet first show the header of the message they report on. So an excerpt of
    a header ends nothing where nothing was announced before it, and a failure is behind it.
    """
    if end == len(lines) or _names_or_announces(lines[:end]):
        return len(lines)
    excerpt = lines[end + 1 : end + _MAX_EXCERPT]
    if "" not in excerpt:
        return len(lines)
    start = end + 1 + excerpt.index("")
    stop = start + find(lines[start:])
    return start if _announces(lines[start:stop]) else len(lines)


def _names_or_announces(lines: list[str]) -> bool:
    return any("@" in line for line in lines) or _announces(lines)


def _announces(lines: list[str]) -> bool:
    """Whether a failure is told in these lines."""
    return openings.says(openings.fold(" ".join(lines)), openings.PLAIN_FAILURE)


def _ends(line: str, lines: list[str], index: int) -> bool:
    if not line:
        return False
    if (len(line) <= _MAX_TITLE and _is_title(line)) or _ATTRIBUTION.match(line):
        return True
    # The others are fields.
    return ":" in line and (
        (bool(_FIELD.match(line)) and _begins_header(lines, index))
        or (bool(_COMMON_FIELD.match(line)) and _begins_header(lines, index + 1))
        or (bool(_QUOTED.match(line)) and _begins_letter(lines, index))
    )


def _is_title(line: str) -> bool:
    """A known title, underlined or announced: ``--- Below is a copy of the message:``."""
    folded = line.casefold()
    # Asked first: few lines end or begin as titles do, and there are many titles.
    if not (line.endswith(_TITLE_ENDS) or folded.endswith(_TITLE_FOLLOWS) or _RULE.match(line)):
        return False
    # A transcript of the dialogue follows within the notice.
    if "transcript" in folded or not any(title in folded for title in _TITLES):
        return False
    return _ABOUT.search(folded) is None


def _begins_header(lines: list[str], index: int) -> bool:
    """Whether a header block starts here: at least two fields within four lines, one certain."""
    nearby = [line for line in lines[index : index + 4] if line]
    certain = sum(1 for line in nearby if _FIELD.match(line))
    common = sum(1 for line in nearby if _COMMON_FIELD.match(line))
    return certain > 0 and certain + common > 1


def _begins_letter(lines: list[str], index: int) -> bool:
    """Whether From, To, Subject and Date stand together, behind the address they are not about."""
    names = {
        found[1].lower()
        for line in lines[index : index + 2 * _QUOTED_FIELDS]
        if (found := _QUOTED.match(line))
    }
    return len(names) == _QUOTED_FIELDS and any("@" in line for line in lines[:index])

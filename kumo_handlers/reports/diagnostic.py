"""The reply inside a Diagnostic-Code (RFC 3464, 2.3.6): its code and its text.

The field is folded, so the lines of a multi-line reply (RFC 5321, 4.2.1) arrive as one line with
``550-`` and ``550 `` in its midst. They are taken out again, with the status that MTAs repeat on
each line (RFC 2034, 4), so that what remains can be read and compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import EnhancedStatusCode
    from kumo_handlers.reports.report import RecipientStatus

# What KumoMTA logs where a report gives no reply code.
NO_CODE = 550

_REPLY = re.compile(r"\s*([245]\d\d)(?:([ -])\s*|\s*$)")
_STATUS = re.compile(r"\s*#?\(?[245]\.\d{1,3}\.\d{1,3}\)?(?!\d)[ :-]*")


def reply(recipient: RecipientStatus) -> tuple[int, str]:
    """Code and text of the remote server's reply, as a log record's response has them.

    The text keeps the status it begins with, as KumoMTA's does. Only a diagnostic of type smtp,
    in any case, or of no type is a reply; the text of another (``x-unix``) is left to the report.
    """
    diagnostic = recipient.diagnostic_code
    if diagnostic is None or diagnostic.type not in ("smtp", ""):
        return _known(recipient), ""
    found = _REPLY.match(diagnostic.value)
    if found is None:
        return _known(recipient), diagnostic.value.strip()
    code, separator = found.group(1, 2)
    text = diagnostic.value[found.end() :].strip()
    return int(code), _one_line(code, text) if separator == "-" else text


def _known(recipient: RecipientStatus) -> int:
    return recipient.reply_code or NO_CODE


def _one_line(code: str, text: str) -> str:
    """The lines of a multi-line reply joined, without the code and status each begins with."""
    status = _STATUS.match(text)
    repeated = re.escape(status.group().strip()) + r"\s*" if status else ""
    marker = re.compile(rf"\s+{code}(?:-|(?=\s)\s)\s*(?:{repeated})?")
    return marker.sub(" ", text).strip()


def classified_text(
    code: int, status: EnhancedStatusCode | None, recipient: RecipientStatus, text: str
) -> str:
    """``CODE ENHANCED TEXT``, which the rules of classification are written for.

    ``text`` is the reply's; where it is empty the diagnostic's stands for it, since a rule can
    know the words of a local program as well.
    """
    if not text and recipient.diagnostic_code is not None:
        text = recipient.diagnostic_code.value
        if found := _REPLY.match(text):
            text = text[found.end() :]
    if status is None:
        return f"{code} {' '.join(text.split())}"
    if repeated := _STATUS.match(text):
        text = text[repeated.end() :]
    return f"{code} {status} {' '.join(text.split())}"

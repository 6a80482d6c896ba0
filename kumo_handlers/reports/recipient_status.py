"""One recipient's group of fields (RFC 3464, 2.3), to a `RecipientStatus`.

What is missing is concluded from what is there, and named in ``inferred``: the status from the
diagnostic, the reply code or the action; the action from the status or the reply code.
"""

from __future__ import annotations

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports import dates, values
from kumo_handlers.reports.fields import Group, remark, singles
from kumo_handlers.reports.report import Action, RecipientStatus, Typed

# RFC 3464, 2.3. Everything else is an extension, X-Actual-Recipient (Sendmail) too.
_READ = frozenset(
    {
        *("original-recipient", "final-recipient", "action", "status", "remote-mta"),
        *("diagnostic-code", "last-attempt-date", "final-log-id", "will-retry-until"),
    }
)
Written = dict[str, str]

# The types of diagnostics that are replies of a mail server; of no type: in practice as well.
_REPLIES = ("smtp", "", "esmtp", "lmtp")
_CLASSES = {Action.FAILED: 5, Action.DELAYED: 4}
_POSITIVE = 2


def recipient_status(group: Group, remarks: list[str]) -> RecipientStatus:
    """The recipient that ``group`` is about. What had to be forgiven goes into ``remarks``."""
    inferred: list[str] = []
    written = singles(group)
    original = recipient(written, "original-recipient", remarks)
    final = recipient(written, "final-recipient", remarks)
    if final is None or not final.value:
        final = _without_final(final, original, written, inferred, remarks)
    elif original is not None:
        original = values.as_final(original, final, remarks)
    diagnostic, reply_code = _diagnostic(written, remarks)
    status, action = _outcome(written, diagnostic, reply_code, inferred, remarks)
    return RecipientStatus(
        final_recipient=final,
        original_recipient=original,
        action=action,
        status=status,
        diagnostic_code=diagnostic,
        reply_code=reply_code,
        remote_mta=values.typed_or_none(written.get("remote-mta")),
        last_attempt_date=date(written, "last-attempt-date", remarks),
        will_retry_until=date(written, "will-retry-until", remarks),
        final_log_id=written.get("final-log-id") or None,
        extensions={name: group[name] for name in group if name not in _READ},
        inferred=tuple(inferred),
    )


def date(written: Written, name: str, remarks: list[str]) -> float | None:
    """A field's date. A bad one is dropped, not the report that has it."""
    text = written.get(name)
    if text is None:
        return None
    found = dates.read(text)
    if found is None:
        remark(remarks, f"{name} is no date and was ignored: {text[:60]!r}")
    return found


def recipient(written: Written, name: str, remarks: list[str]) -> Typed | None:
    """A field that names a recipient."""
    text = written.get(name)
    return values.recipient(text, remarks) if text else None


def _without_final(
    final: Typed | None,
    original: Typed | None,
    written: Written,
    inferred: list[str],
    remarks: list[str],
) -> Typed | None:
    """What stands for a Final-Recipient that is missing: X-Actual-Recipient, if all else is."""
    # RFC 3464, 2.3.2: it has to be there.
    remark(remarks, "no Final-Recipient")
    if original is not None and original.value:
        return final
    actual = recipient(written, "x-actual-recipient", remarks)
    if actual is None:
        return final
    inferred.append("final_recipient")
    return actual


def _diagnostic(written: Written, remarks: list[str]) -> tuple[Typed | None, int | None]:
    """Diagnostic-Code, and the reply code in it."""
    text = written.get("diagnostic-code")
    if not text:
        return None, None
    diagnostic = values.typed(text)
    if not diagnostic.type:
        remark(remarks, "a diagnostic without type")
    is_reply = diagnostic.type in _REPLIES
    return diagnostic, values.reply_code_in(diagnostic.value) if is_reply else None


def _outcome(
    written: Written,
    diagnostic: Typed | None,
    reply_code: int | None,
    inferred: list[str],
    remarks: list[str],
) -> tuple[EnhancedStatusCode, Action]:
    """Status and Action, read or concluded."""
    text = written.get("status")
    status = values.status(text, remarks) if text else None
    word = written.get("action")
    action = values.action(word, remarks) if word else None
    if status is None:
        if not text:
            remark(remarks, "no Status")
        inferred.append("status")
        status = _concluded(diagnostic, reply_code, action)
    if action is None:
        if not word:
            remark(remarks, "no Action")
        inferred.append("action")
        is_retried = "will-retry-until" in written
        action = Action.DELAYED if is_retried else _action_of(status, reply_code)
    return status, action


def _concluded(
    diagnostic: Typed | None, reply_code: int | None, action: Action | None
) -> EnhancedStatusCode:
    """The status that nobody wrote: the diagnostic's, else one of the class alone."""
    if diagnostic is not None and (found := values.status_in(diagnostic.value)):
        return found
    if reply_code is not None:
        class_ = reply_code // 100
    else:
        class_ = _CLASSES.get(action or Action.FAILED, _POSITIVE)
    # RFC 3463, 2: 0.0 says no more than the class.
    return EnhancedStatusCode(class_, 0, 0)


def _action_of(status: EnhancedStatusCode, reply_code: int | None) -> Action:
    """The action that nobody wrote. A report is a failure unless something speaks against it."""
    is_positive = status.class_ == _POSITIVE and (reply_code or 0) // 100 in (0, _POSITIVE)
    return Action.DELIVERED if is_positive else Action.FAILED

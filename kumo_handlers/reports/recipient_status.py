"""One recipient's group of fields (RFC 3464, 2.3), to a `RecipientStatus`.

What is missing is concluded from what is there, and named in ``inferred``: the status from the
diagnostic, the reply code or the action; the action from the status or the reply code.
"""

from __future__ import annotations

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports import dates, values
from kumo_handlers.reports.fields import Group, remark, single
from kumo_handlers.reports.report import Action, RecipientStatus, Typed

# RFC 3464, 2.3. Everything else is an extension, X-Actual-Recipient (Sendmail) too.
_READ = frozenset(
    {
        *("original-recipient", "final-recipient", "action", "status", "remote-mta"),
        *("diagnostic-code", "last-attempt-date", "final-log-id", "will-retry-until"),
    }
)
# The types of diagnostics that are replies of a mail server; of no type: in practice as well.
_REPLIES = ("smtp", "", "esmtp", "lmtp")
_CLASSES = {Action.FAILED: 5, Action.DELAYED: 4}
_POSITIVE = 2


def recipient_status(group: Group, remarks: list[str]) -> RecipientStatus:
    """The recipient that ``group`` is about. What had to be forgiven goes into ``remarks``."""
    inferred: list[str] = []
    original = _recipient(group, "original-recipient", remarks)
    final = _final(group, original, inferred, remarks)
    diagnostic = single(group, "diagnostic-code", remarks)
    diagnostic_code = values.typed(diagnostic) if diagnostic else None
    if diagnostic_code is not None and not diagnostic_code.type:
        remark(remarks, "a diagnostic without type")
    reply_code = None
    if diagnostic_code is not None and diagnostic_code.type in _REPLIES:
        reply_code = values.reply_code_in(diagnostic_code.value)
    status = _status(group, remarks)
    action = _action(group, remarks)
    if status is None:
        inferred.append("status")
        status = _concluded(diagnostic_code, reply_code, action)
    if action is None:
        inferred.append("action")
        action = Action.DELAYED if "will-retry-until" in group else _action_of(status, reply_code)
    remote_mta = single(group, "remote-mta", remarks)
    return RecipientStatus(
        final_recipient=final,
        original_recipient=original,
        action=action,
        status=status,
        diagnostic_code=diagnostic_code,
        reply_code=reply_code,
        remote_mta=values.typed(remote_mta) if remote_mta else None,
        last_attempt_date=date(group, "last-attempt-date", remarks),
        will_retry_until=date(group, "will-retry-until", remarks),
        final_log_id=single(group, "final-log-id", remarks) or None,
        extensions={name: found for name, found in group.items() if name not in _READ},
        inferred=tuple(inferred),
    )


def date(group: Group, name: str, remarks: list[str]) -> float | None:
    """A field's date. A bad one is dropped, not the report that has it."""
    if name not in group:
        return None
    text = single(group, name, remarks) or ""
    found = dates.read(text)
    if found is None:
        remark(remarks, f"{name} is no date and was ignored: {text[:60]!r}")
    return found


def _recipient(group: Group, name: str, remarks: list[str]) -> Typed | None:
    text = single(group, name, remarks)
    return values.recipient(text, remarks) if text else None


def _final(
    group: Group, original: Typed | None, inferred: list[str], remarks: list[str]
) -> Typed | None:
    """Final-Recipient; where that is missing or empty, and all else is, X-Actual-Recipient."""
    final = _recipient(group, "final-recipient", remarks)
    if final is not None and final.value:
        return final
    # RFC 3464, 2.3.2: it has to be there.
    remark(remarks, "no Final-Recipient")
    if original is None or not original.value:
        actual = _recipient(group, "x-actual-recipient", remarks)
        if actual is not None:
            inferred.append("final_recipient")
            return actual
    return final


def _status(group: Group, remarks: list[str]) -> EnhancedStatusCode | None:
    text = single(group, "status", remarks)
    if not text:
        remark(remarks, "no Status")
        return None
    return values.status(text, remarks)


def _action(group: Group, remarks: list[str]) -> Action | None:
    text = single(group, "action", remarks)
    if not text:
        remark(remarks, "no Action")
        return None
    return values.action(text, remarks)


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

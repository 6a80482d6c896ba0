"""Feedback reports (RFC 5965, RFC 6591, RFC 6650): complaints, and what is sent in their form.

Fields are kept as they were written, as KumoMTA does: a Source-IP may be ``x.x.x.x``, a
recipient a hash or ``redacted``. `complaint` reads the reports that have no part with fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.reports import fields, returned, values
from kumo_handlers.reports.fields import Group, remark, singles
from kumo_handlers.reports.recipient_status import date
from kumo_handlers.reports.report import FeedbackReport, Returned, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kumo_handlers.reports import mime

MAX_BODY = 128 * 1024
_TYPE = "message/feedback-report"

# RFC 5965, 3.1 to 3.2; Received-Date is Arrival-Date in the drafts before it.
_READ = frozenset(
    {
        *("feedback-type", "user-agent", "version", "arrival-date", "received-date", "incidents"),
        *("original-envelope-id", "original-mail-from", "reporting-mta", "source-ip"),
        *("authentication-results", "original-rcpt-to", "reported-domain", "reported-uri"),
    }
)
# QUIRK: AOL put the header of the part into its body once more.
_MIME = ("content-type", "content-transfer-encoding", "content-disposition", "mime-version")


def read(message: mime.Message) -> FeedbackReport | None:
    """The feedback report in ``message``, None where it is none."""
    if not message.may_hold_reports:
        return None
    parts = message.parts
    kinds = [part.content_type.endswith("feedback-report") for part in parts]
    if True not in kinds:
        return None
    index = kinds.index(True)
    remarks: list[str] = []
    group = _fields(parts[index], remarks)
    if not group:
        return None
    if message.content_type != "multipart/report":
        remark(remarks, "the message is no multipart/report")
    elif message.sign(b"content-type").find(b"feedback-report") < 0:
        # RFC 5965, 2: the parameter has to be there.
        remark(remarks, "the report-type is not feedback-report")
    original = returned.find(parts, index, remarks)
    if original is None:
        remark(remarks, "no returned message")
    return assemble(group, original, remarks)


def _fields(part: mime.Part, remarks: list[str]) -> Group:
    """All fields of the part in one group: this report knows no others (RFC 5965, 3)."""
    if part.content_type != _TYPE:
        remark(remarks, f"the report has the type {part.content_type[:60]}")
    encoded = part.transfer_encoding
    if encoded:
        # RFC 5965, 2: seven bits are enough.
        remark(remarks, "the report has a transfer encoding")
    paragraphs = fields.read(part.lines(MAX_BODY, encoded), remarks)
    if not paragraphs and b"eedback-" in part.header_block:
        remark(remarks, "no empty line before the fields")
        paragraphs = fields.read(part.raw(MAX_BODY), remarks)
    group: Group = paragraphs[0] if paragraphs else {}
    if len(paragraphs) > 1:
        remark(remarks, "empty lines between the fields")
        for more in paragraphs[1:]:
            for name, found in more.items():
                group.setdefault(name, []).extend(found)
    for name in _MIME:
        if group.pop(name, None):
            remark(remarks, f"{name} among the fields was ignored")
    return group


def assemble(
    group: Group,
    original: mime.Part | None,
    remarks: list[str],
    concluded: Iterable[str] = (),
) -> FeedbackReport:
    """The report that the fields are. ``concluded`` are the names of those that nobody wrote."""
    text = returned.text(original, remarks)
    inferred = [name.replace("-", "_") for name in concluded]
    written = singles(group)
    kind = _kind(written, inferred, remarks)
    for name in ("user-agent", "version"):
        # RFC 5965, 3.1: these have to be there.
        if name not in group:
            remark(remarks, f"no {name}")
    arrival_date = _arrival_date(written, remarks)
    incidents = _incidents(written.get("incidents"), remarks)
    mail_from = written.get("original-mail-from")
    return FeedbackReport(
        source=Source.TOLERANT if remarks else Source.RFC5965,
        feedback_type=kind,
        user_agent=written.get("user-agent", ""),
        version=written.get("version", ""),
        arrival_date=arrival_date,
        incidents=incidents,
        original_envelope_id=written.get("original-envelope-id") or None,
        original_mail_from=None if mail_from is None else _path(mail_from),
        reporting_mta=values.typed_or_none(written.get("reporting-mta")),
        source_ip=written.get("source-ip") or None,
        authentication_results=tuple(group.get("authentication-results", ())),
        original_rcpt_to=tuple(map(_path, group.get("original-rcpt-to", ()))),
        reported_domain=tuple(group.get("reported-domain", ())),
        reported_uri=tuple(group.get("reported-uri", ())),
        extensions={name: found for name, found in group.items() if name not in _READ},
        original_message=text,
        returned=Returned(returned.header_block(original)),
        inferred=tuple(inferred),
        remarks=tuple(remarks),
    )


def _kind(written: dict[str, str], inferred: list[str], remarks: list[str]) -> str:
    """Feedback-Type, lower case, without comments. Where it is missing, what the fields are of."""
    kind = written.get("feedback-type", "").partition("(")[0].strip().lower()
    if kind:
        return kind
    remark(remarks, "no Feedback-Type")
    inferred.append("feedback_type")
    # RFC 6591, 3.1: Auth-Failure is there in reports of that type, and in no other.
    return "auth-failure" if "auth-failure" in written else "abuse"


def _arrival_date(written: dict[str, str], remarks: list[str]) -> float | None:
    if "arrival-date" in written or "received-date" not in written:
        return date(written, "arrival-date", remarks)
    remark(remarks, "Received-Date stands for Arrival-Date")
    return date(written, "received-date", remarks)


def _incidents(text: str | None, remarks: list[str]) -> int | None:
    """RFC 5965, 3.2: a 32-bit number. What is none is ignored."""
    if text is None:
        return None
    if text.isdecimal() and text.isascii() and len(text) <= len("4294967295"):
        return int(text)
    remark(remarks, f"incidents is no number and was ignored: {text[:40]!r}")
    return None


def _path(text: str) -> str:
    """What stands between the angle brackets; as written where there is more than that."""
    is_path = text.startswith("<") and text.endswith(">") and text.count("<") == 1
    return text[1:-1].strip() if is_path else text
